"""What a user is told when a model cannot be used, and the guard around packages that not everybody installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

INSTALL = "pip install 'vsr-compile[classify]'"

_EXTRA = frozenset({"numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"})


class ModelError(Exception):
    """A model that cannot be found, trusted or read. The message says what to do about it."""


@contextmanager
def classify_extra() -> Iterator[None]:
    """Guards imports of the ``classify`` extra's packages.

    Raises:
        ModelError: One of them is not installed; names the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        raise ModelError(f"the package {missing} is not installed; run {INSTALL}") from error
