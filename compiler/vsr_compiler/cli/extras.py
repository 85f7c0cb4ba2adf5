"""Packages that only some commands need, and the extra that installs each of them."""

from __future__ import annotations

EXTRAS = {
    "classify": ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"),
    "runtime": ("google", "msgspec", "phonenumbers", "prometheus_client", "py3langid", "re2", "stdnum"),
    "kubernetes": ("kubernetes",),
    "ray": ("pyarrow", "ray"),
    "lsp": ("lsprotocol", "pygls"),
}
"""Import packages by extra."""


def remedy(error: BaseException) -> str | None:
    """Return the line for a user whose installation lacks an extra; None for any other error."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    package = (error.name or "").partition(".")[0]
    extra = next((name for name, packages in EXTRAS.items() if package in packages), None)
    if extra is None:
        return None
    return f"error: the package {package} is not installed; run pip install 'vsr-compile[{extra}]'"
