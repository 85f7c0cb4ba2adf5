from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import required

from runtime.inference.encoder import SentenceEncoder
from runtime.inference.errors import ModelError
from runtime.inference.locate import DEFAULT_ENCODER, KNOWN, EncoderFiles, find_encoder


@pytest.fixture(scope="session")
def files() -> EncoderFiles:
    """The real MiniLM; a skip where it is not installed, a failure where that happens in CI."""
    try:
        return find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    except ModelError as error:
        required(None, f"MiniLM ({error})")
        raise


@pytest.fixture(scope="session")
def _graph_cache(tmp_path_factory) -> Iterator[None]:
    """Graphs built by tests stay out of the user's cache, and are built once a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSR_CACHE_DIR", str(tmp_path_factory.mktemp("graphs")))
        yield


@pytest.fixture(scope="session")
def encoder(files, _graph_cache) -> SentenceEncoder:
    """MiniLM as served."""
    return SentenceEncoder.load(files, "int8")


@pytest.fixture(scope="session")
def exact_encoder(files, _graph_cache) -> SentenceEncoder:
    """MiniLM in full precision."""
    return SentenceEncoder.load(files, "fp32")


@pytest.fixture
def empty_machine(monkeypatch, tmp_path):
    """A machine without any model: no folders, no Hugging Face cache, no carrier package."""
    for name in ("VSR_MODELS", "HF_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no-cache"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    return tmp_path
