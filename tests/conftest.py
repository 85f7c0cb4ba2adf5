"""Options and fixtures of the whole suite."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# Its threads write lines of their own whenever a connection ends, into the output of whatever test runs by then.
os.environ["GRPC_VERBOSITY"] = "NONE"
os.environ.setdefault("SOURCE_DATE_EPOCH", "1796169600")  # 2 December 2026: warnings about releases depend on the day
os.environ.setdefault("VSR_NO_CACHE", "1")  # each test asks the program, not an earlier run
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


STARTS = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
"""Audit events of a process that starts."""
_guarded: list[str] = []
"""The test that runs, if it may not start a process."""
_started: list[str] = []
"""Processes that it started all the same."""


def pytest_configure(config: pytest.Config) -> None:
    """Watch for processes if tests that start some are left out."""
    if "not subprocess" in config.option.markexpr:
        sys.addaudithook(_forbid_processes)


def _forbid_processes(event: str, arguments: tuple[object, ...]) -> None:
    if _guarded and event in STARTS:
        _started.append(f"{event} {arguments[:2]}")
        raise RuntimeError(f"{_guarded[0]} starts a process without the mark `subprocess`")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse every process from the first fixture to the last."""
    _guarded.append(item.nodeid)
    try:
        return (yield)
    finally:
        _guarded.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that starts a process without the mark `subprocess`, even if it catches the error."""
    _started.clear()
    result = yield
    assert _started == []
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark property tests, and take the mark `envoy` for one of a process."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.property)
        if item.get_closest_marker("envoy"):
            item.add_marker(pytest.mark.subprocess)


def pytest_collection_finish() -> None:
    """Exempt what was imported from garbage collection: it lives until the end, and tests collect often."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_disk_synchronization() -> Generator[None]:
    """Leave out `fsync` and `syncfs` in this process: only a power failure would show the difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _fd: None)
        patch.setattr("vsr_compiler.deploy.output.system_calls.SystemCalls.syncfs", lambda _calls, _fd: True)
        yield


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))
