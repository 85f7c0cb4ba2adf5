"""The real encoder, for every test that asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support.common import required
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import (
    DEFAULT_ENCODER,
    KNOWN,
    EncoderFiles,
    find_encoder,
    own_roots,
    user_folder,
)
from vsr_runtime.inference.errors import ModelError

# Tests set the folder of the cache, where `vsr-compile fetch-encoder` puts the encoder.
if user_folder() not in own_roots():
    os.environ["VSR_MODELS"] = os.pathsep.join(str(root) for root in (*own_roots(), user_folder()))


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
    """Keep graphs that tests build out of the user's cache. All processes of a run share them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "graphs"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        # The encoder of `vsr-compile fetch-encoder` is in the user's cache.
        patch.setenv("VSR_MODELS", os.pathsep.join([*map(str, own_roots()), str(user_folder())]))
        patch.setenv("VSR_CACHE_DIR", str(folder))
        yield


@pytest.fixture(scope="session")
def encoder(files, _graph_cache) -> SentenceEncoder:
    """MiniLM as served."""
    return SentenceEncoder.load(files, "int8")


@pytest.fixture(scope="session")
def exact_encoder(files, _graph_cache) -> SentenceEncoder:
    """MiniLM in full precision."""
    return SentenceEncoder.load(files, "fp32")
