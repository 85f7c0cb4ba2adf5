"""Limits of sizes: annotations, data of ConfigMaps and Secrets, and whole objects.

Source: apimachinery's `TotalAnnotationSizeLimitB`, `MaxSecretSize` of the core API, and etcd's `--max-request-bytes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vsr_compiler.verify.manifest import Body, as_mapping
from vsr_compiler.verify.schema.validation.faults import Fault

MAX_ANNOTATIONS = 256 * 1024
MAX_DATA = 1024 * 1024
MAX_OBJECT = 3 * 512 * 1024
_DATA_KINDS = frozenset({"ConfigMap", "Secret"})


def faults(group: str, kind: str, body: Body) -> Iterator[Fault]:
    """Return the parts of an object that are too large."""
    annotations = as_mapping(as_mapping(body.get("metadata")).get("annotations"))
    size = _bytes(annotations)
    if size > MAX_ANNOTATIONS:
        hint = "Shorten the annotations. `kubectl apply` adds one with the whole object; `--server-side` does not."
        yield ("metadata", "annotations"), _message("the annotations have", size, MAX_ANNOTATIONS), hint
    if not group and kind in _DATA_KINDS:
        encoded = ("data",) if kind == "Secret" else ("binaryData",)
        plain = ("stringData",) if kind == "Secret" else ("data",)
        size = sum(_bytes(as_mapping(body.get(name)), keys=False) for name in plain)
        size += sum(_decoded(as_mapping(body.get(name))) for name in encoded)
        if size > MAX_DATA:
            yield (
                (encoded if body.get(plain[0]) is None else plain),
                _message("the data has", size, MAX_DATA),
                ("Split it, or move large files to a volume or an image."),
            )
            return
    if _may_exceed(body):
        size = len(json.dumps(body, default=str, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))
        if size > MAX_OBJECT:
            hint = "Split the object: etcd accepts 1.5 MiB by default."
            yield (), _message("the object has", size, MAX_OBJECT), hint


def _message(subject: str, size: int, limit: int) -> str:
    return f"{subject} {size:,} bytes, more than {limit:,}"


def _bytes(entries: Body, *, keys: bool = True) -> int:
    return sum(
        (_length(key) if keys else 0) + (_length(value) if isinstance(value, str) else 0)
        for key, value in entries.items()
    )


def _decoded(entries: Body) -> int:
    """Return the size of values in base64."""
    values = [value.strip() for value in entries.values() if isinstance(value, str)]
    return sum(len(value) * 3 // 4 - value[-2:].count("=") for value in values)


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def _may_exceed(body: Body) -> bool:
    """Whether an object has so much text that its size must be computed; most have not."""
    left, stack = MAX_OBJECT // 8, list[Any]([body])
    while stack and left > 0:
        value = stack.pop()
        if isinstance(value, dict):
            left -= sum(map(len, value)) + 8 * len(value)
            stack += value.values()
        elif isinstance(value, list):
            left -= 8 * len(value)
            stack += value
        elif isinstance(value, str):
            left -= len(value)
    return left <= 0
