"""Options and fixtures of the whole suite."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

# Its threads write lines of their own whenever a connection ends, into the output of whatever test runs by then.
os.environ["GRPC_VERBOSITY"] = "NONE"
# Tests run in one process for each core: threads of BLAS would only wait for each other, and busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What an example takes says nothing on a machine that does other things as well.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("patient"), derandomize=True)
settings.register_profile("fuzz", settings.get_profile("patient"), max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "patient"))

pytest_plugins = ["support.encoder_fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`, which writes what a compile gives into tests/golden/."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ from a fresh compile")


def pytest_collection_finish() -> None:
    """Exempt what was imported from garbage collection: it lives until the end, and tests collect often."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))
