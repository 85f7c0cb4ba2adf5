"""Options and fixtures of the whole suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Its threads write lines of their own whenever a connection ends, into the output of whatever test runs by then.
os.environ["GRPC_VERBOSITY"] = "NONE"

# What an example takes says nothing on a machine that does other things as well.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins = ["support.encoder_fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes what a compile gives into tests/golden/."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ from a fresh compile")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))
