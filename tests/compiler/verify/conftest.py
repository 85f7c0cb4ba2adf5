"""What every test of the checks starts from."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_definitions_of_this_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a developer has pulled or set must not decide a test."""
    cache = tmp_path_factory.getbasetemp() / "no-cache"
    monkeypatch.setenv("VSR_CACHE_DIR", str(cache))
    monkeypatch.delenv("VSR_CRDS", raising=False)
    return cache
