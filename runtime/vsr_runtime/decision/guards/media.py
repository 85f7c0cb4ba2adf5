"""Content other than text in a document, and the strings that are its bytes.

Whether a string is bytes is never decided by its alphabet or entropy: keys of many issuers look like base64. A string
is bytes if it is the content of a media part, is strict base64, and begins like a file of a known format. All other
strings are read as text, also those that decode to text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vsr_runtime.decision.deadline import Expired, check_deadline
from vsr_runtime.decision.guards.media_names import (
    MEDIA_KEYS,
    MEDIA_TYPES,
    PART_MEDIA_KEYS,
    READABLE_SOURCES,
    TOKEN_FIELDS,
    TOKEN_KEYS,
)

_VALUES_PER_CHECK = 2048
"""Values between two checks of the deadline."""
_STEPS_PER_VALUE = 200
"""Steps of the budget for a value."""
MIN_BYTES = 64
"""Length of a string from which it is worth while to ask whether it is bytes. Shorter ones are read as text."""
_DATA_URL = re.compile(r"data:([A-Za-z0-9.+-]{1,80}/[A-Za-z0-9.+-]{1,80})?(?:;[A-Za-z0-9.=_+-]{1,80}){0,8},")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*+={0,2}")
_PART_TYPE = re.compile(r"(?:^|_)(?:image|audio|video|file|pdf|embeds|media|screenshot)(?:_|$)")
"""A type of a content part that no table has, but that names media."""
_PART_LISTS = frozenset({"content", "system", "parts"})
"""Keys of lists of content parts."""
_MESSAGE_LISTS = frozenset({"choices", "input", "messages", "output"})
_CONTAINERS = frozenset(
    {"delta", "function_call_output", "item", "message", "output", "part", "prediction", "response"}
)
"""Keys of objects that hold a message or its parts."""
_TEXT_KEYS = frozenset(
    {"arguments", "content", "input", "output", "reasoning", "reasoning_content", "refusal", "text", "thinking"}
)
"""Keys whose strings a model reads as text, whatever they look like."""
_HEAD = 24
"""Base64 letters that the longest signature of a format needs."""
_SIGNATURES = (
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\x00\x00\x01\x00",
    b"%PDF-",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
    b"\xff\xf1",
    b"\xff\xf9",
    b"OggS",
    b"fLaC",
    b"FORM",
    b"#!AMR",
    b"\x1aE\xdf\xa3",
    b"FLV\x01",
    b"\x00\x00\x01\xba",
    b"\x00\x00\x01\xb3",
    b"\x93NUMPY",
    b"\x80\x02",
    b"\x80\x04",
)
"""Beginnings of files, as in the table of WHATWG's MIME Sniffing Standard and of file(1): images, documents, archives,
audio, video, and the tensors of torch and NumPy."""
_BOXES = (b"ftyp", b"moov", b"mdat")
"""Types of the first box of MP4, HEIC and AVIF, behind its length."""


@dataclass(frozen=True, slots=True)
class Media:
    """The content of a document that is no text.

    Attributes:
        present: whether there is any.
        data: the strings that are bytes of it, and how often each occurs as such.
    """

    present: bool
    data: Counter[str] = field(default_factory=Counter)


def find_media(values: object, expired: Expired) -> Media:
    """Return the content of a document that is no text.

    Raises:
        BudgetExceededError: the document has too many values.
        DeadlineExceededError: the deadline passed first.
    """
    present = isinstance(values, Mapping) and any(_has_token_ids(values.get(key)) for key in TOKEN_FIELDS)
    data: Counter[str] = Counter()
    others: list[object] = []
    parts: list[object] = [] if isinstance(values, Mapping) else [values]
    if isinstance(values, dict):
        present = present or _is_media(values)
        _sort_values(values, parts, others)
    count = 0
    while parts or others:
        count += 1
        if count % _VALUES_PER_CHECK == 0:
            check_deadline(expired, _VALUES_PER_CHECK * _STEPS_PER_VALUE)
        if parts:
            node = parts.pop()
            if isinstance(node, list):
                parts += node
            elif isinstance(node, dict):
                if _is_media(node) or _is_media_part(node):
                    present = True
                    data.update(_bytes_within(node))
                _sort_values(node, parts, others)
            continue
        node = others.pop()
        if isinstance(node, list):
            others += node
        elif isinstance(node, dict):
            present = present or _is_media(node)
            others += node.values()
    return Media(present, data)


def _sort_values(node: Mapping[str, object], parts: list[object], others: list[object]) -> None:
    """Add the values of a message or part to its parts, as servers read them, or to the other values."""
    for key, value in node.items():
        if isinstance(value, list | dict):
            is_part = key in _PART_LISTS or key in _CONTAINERS or (key in _MESSAGE_LISTS and isinstance(value, list))
            (parts if is_part else others).append(value)


def _is_media(node: Mapping[str, object]) -> bool:
    kind = node.get("type")
    if kind == "document":
        source = node.get("source")
        return not (isinstance(source, Mapping) and source.get("type") in READABLE_SOURCES)
    if isinstance(kind, str) and kind in MEDIA_TYPES:
        return True
    return any(_holds_media(node[key]) for key in MEDIA_KEYS.keys() & node.keys()) or any(
        isinstance(node[key], list) and node[key] for key in TOKEN_KEYS & node.keys()
    )


def _is_media_part(node: Mapping[str, object]) -> bool:
    """Return whether a message or part holds media under a name that means something else elsewhere."""
    kind = node.get("type")
    if isinstance(kind, str) and "content" not in node and _PART_TYPE.search(kind) and not kind.endswith("_call"):
        return True
    return any(node[key] for key in PART_MEDIA_KEYS.keys() & node.keys()) or any(
        key not in _TEXT_KEYS and isinstance(value, str) and len(value) >= MIN_BYTES and is_bytes(value)
        for key, value in node.items()
    )


def _holds_media(value: object) -> bool:
    """Return whether there is content under a media key. A schema that describes such a key has none."""
    if isinstance(value, Mapping):
        return any(isinstance(value.get(key), str) for key in ("url", "data", "file_id", "file_data"))
    return bool(value)


def _has_token_ids(value: object) -> bool:
    """Return whether a prompt consists of token ids."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            if any(isinstance(item, int | float) for item in node):
                return True
            pending += [item for item in node if isinstance(item, list)]
    return False


def _bytes_within(node: Mapping[str, object]) -> Iterator[str]:
    """Yield the strings of a media part that are bytes: its own, and those of its source."""
    if node.get("type") == "document" and not _is_media(node):
        return
    for key, value in node.items():
        if key in _TEXT_KEYS:
            continue
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else (value,)
        yield from (text for text in inner if isinstance(text, str) and len(text) >= MIN_BYTES and is_bytes(text))


def is_bytes(text: str) -> bool:
    """Return whether a string is the content of a file: strict base64, maybe in a data URL, of a known format."""
    url = _DATA_URL.match(text)
    begin = url.end() if url else 0
    if not begins_like_file(text[begin : begin + _HEAD]):
        return False
    return (len(text) - begin) % 4 == 0 and _BASE64.fullmatch(text, begin) is not None


def begins_like_file(text: str) -> bool:
    """Return whether base64 letters are the beginning of a file of a known format."""
    try:
        data = base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return False
    return data.startswith(_SIGNATURES) or data[4:8] in _BOXES


def decoded_text(text: str) -> str | None:
    """Return the text that a string contains as base64, as in the data of a text file; None if it contains none."""
    url = _DATA_URL.match(text)
    if not url and len(text) < MIN_BYTES:
        return None
    body = text[url.end() :] if url else text
    if not _BASE64.fullmatch(body) or len(body) % 4:
        return None
    try:
        decoded = base64.b64decode(body, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return decoded if decoded and "\0" not in decoded else None
