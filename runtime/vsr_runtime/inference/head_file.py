"""Reads and writes the file of a classifier head or of sentences: safetensors, with metadata.

Reading the metadata needs no package, so a compile that only reuses a head needs none. Files are written here, not by
the safetensors package, so that equal heads are equal bytes with every release of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vsr_runtime.inference.errors import ModelError

ALGORITHM = "softmax-none-2"  # what the numbers mean to a reader; how they were found is the trainer's affair

MIDDLE_ALGORITHM = "softmax-none-middle-1"  # the same for the middle layer, which older releases cannot read

ATTENTION_ALGORITHM = "softmax-none-attention-1"  # for the middle layer's tokens, likewise

SENTENCES_ALGORITHM, SENTENCES = "sentences-1", "file of sentences"  # likewise, and how messages call it

_MAX_HEADER = 1 << 20
MAX_HEAD = 64 << 20
"""Bytes of a file. A ConfigMap holds 1 MiB."""


Tensor = tuple[str, tuple[int, ...], bytes]
"""Type as safetensors names it, shape, and little-endian data."""


def pack(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> bytes:
    """Serialise; the same content gives the same bytes.

    Args:
        metadata: Any texts.
        tensors: By name.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    body = b""
    for name, (dtype, shape, data) in sorted(tensors.items()):
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def head_metadata(data: bytes) -> dict[str, str]:
    """The metadata of a head; see ``file_metadata``."""
    return file_metadata(data, ALGORITHM, "classifier head", MIDDLE_ALGORITHM, ATTENTION_ALGORITHM)


def file_metadata(data: bytes, algorithm: str, what: str, *others: str) -> dict[str, str]:
    """Read the metadata of a file, after checking that all of its data is there.

    Args:
        data: The file.
        algorithm: The required format of its data.
        what: Its name in messages.
        others: Further formats that are read.

    Raises:
        ModelError: It is not such a file, is truncated, or was written by an incompatible release.
    """
    size = int.from_bytes(data[:8], "little")
    whole = 0
    if 0 < size <= min(_MAX_HEADER, len(data) - 8):
        try:
            header = json.loads(data[8 : 8 + size])
            found = {str(key): str(value) for key, value in header.pop("__metadata__").items()}
            whole = 8 + size + max(entry["data_offsets"][1] for entry in header.values())
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"the {what} is damaged ({error!r}); compile the policy again") from error
    if not whole or whole != len(data):
        raise ModelError(f"the {what} is cut off; compile the policy again")
    if found.get("algorithm") not in (algorithm, *others):
        raise ModelError(
            f"the {what} is of the kind {found.get('algorithm')!r}, not {algorithm!r}; "
            "compile the policy with the same release as the runtime",
        )
    return found
