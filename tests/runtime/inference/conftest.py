"""A machine without models."""

from __future__ import annotations

import pytest


@pytest.fixture
def empty_machine(monkeypatch, tmp_path):
    """A machine without any model: no folders, no Hugging Face cache, no carrier package."""
    for name in ("VSR_CACHE_DIR", "VSR_MODELS", "HF_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no-cache"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    return tmp_path
