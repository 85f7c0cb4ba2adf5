"""Errors of models, and guards around imports of optional packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

INSTALL = "pip install 'vsr-compile[classify]'"
INSTALL_GPU = "pip install 'vsr-compile[gpu]'"

_EXTRA = frozenset({"numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"})
_GPU_EXTRA = frozenset({"torch", "transformers"})


class ModelError(Exception):
    """A model that cannot be found, trusted or read. The message has the remedy."""


class NoMemoryError(Exception):
    """A batch did not fit into the device's memory; a smaller one may."""


@contextmanager
def classify_extra() -> Iterator[None]:
    """Guard imports of the ``classify`` extra's packages.

    Raises:
        ModelError: One is not installed; names the command that installs it.
    """
    with _extra(_EXTRA, INSTALL):
        yield


@contextmanager
def gpu_extra() -> Iterator[None]:
    """Guard imports of the ``gpu`` extra's packages, which checkpoints need on a CPU, too.

    Raises:
        ModelError: One is not installed; names the command that installs it.
    """
    with _extra(_GPU_EXTRA, INSTALL_GPU):
        yield


@contextmanager
def _extra(names: frozenset[str], command: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in names:
            raise
        raise ModelError(f"the package {missing} is not installed; run {command}") from error
