"""Texts in base64 or hexadecimal digits within a text, which models read as well as plain text.

A word counts only if it decodes to text, and a cheap pattern shows first whether there may be one: letters of base64
that encode ASCII have few values in three of four places. Words of languages, identifiers and hashes rarely have them,
and decode to no text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from vsr_runtime.decision.guards.recogniser import compile_bytes

_GATE = (
    rb"(?:[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][0-9A-Za-z+/_-]){3}|[0-9A-Za-z+/_-]{24}"
    rb"|(?:[2-7][0-9A-Fa-f](?:[ :,;-]{1,2}(?:0x)?)?){8}"
)
"""Twelve letters of base64 that encode ASCII, 24 that encode anything, or eight hexadecimal bytes of ASCII."""
_WORD = re.compile(
    r"(?<![0-9A-Za-z+/_-])(?P<word>[0-9A-Za-z+/_-]{12,}+(?:\r?+\n[ \t]{0,16}+[0-9A-Za-z+/_-]{4,}+)*+={0,2})"
    r"|(?<![0-9A-Za-z])(?:0x)?[0-9A-Fa-f]{2}(?:[ :,;-]{1,2}+(?:0x)?+[0-9A-Fa-f]{2}){7,}+"
)
"""Letters of base64, maybe in several lines, or hexadecimal bytes."""
_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]{2}(?:-?[0-9A-Fa-f]{2}){7,}+")
_LINE = re.compile(r"[0-9A-Za-z+/_-]{12,}+={0,2}")
_PIECE = re.compile(r"[0-9A-Za-z]{12,}+={0,2}")
_BETWEEN_BYTES = re.compile(r"0x|[ :,;-]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_URL_SAFE = str.maketrans("-_", "+/", "=\r\n\t ")
_LEAST_TEXT = 0.75
"""Share of the characters that are text, from which bytes count as text."""


def may_have_words(text: str) -> bool:
    """Return whether a text may contain an encoded text."""
    data = text.encode("ascii", "replace")
    return compile_bytes(_GATE).search(data) is not None


def encoded_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each encoded text, and what it encodes.

    If several lines together encode none, each of them may, or a part of one between other signs, as in a path.
    """
    for match in _WORD.finditer(text):
        inner = _of_word(match[0]) if match["word"] else _of_hex(match[0])
        if inner is not None:
            yield match.start(), match.end(), inner
        elif match["word"]:
            for start, end, part in _parts(match[0]):
                yield match.start() + start, match.start() + end, part


def _parts(word: str) -> Iterator[tuple[int, int, str]]:
    for line in _LINE.finditer(word):
        inner = _of_word(line[0])
        if inner is not None:
            yield line.start(), line.end(), inner
            continue
        for piece in _PIECE.finditer(line[0]):
            inner = _of_word(piece[0])
            if inner is not None:
                yield line.start() + piece.start(), line.start() + piece.end(), inner


def _of_word(word: str) -> str | None:
    inner = _of_hex(word) if _HEX.fullmatch(word) else None
    return _of_base64(word) if inner is None else inner


def _of_hex(word: str) -> str | None:
    return _of_bytes(bytes.fromhex(_BETWEEN_BYTES.sub("", word)))


def _of_base64(word: str) -> str | None:
    letters = word.translate(_URL_SAFE)
    try:
        return _of_bytes(base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _of_bytes(data: bytes) -> str | None:
    """Return bytes as text, in UTF-8 or UTF-16, with blanks for what is no text; None if that is too much."""
    half = len(data) // 2
    if data[1::2].count(0) > _LEAST_TEXT * half:
        text = data.decode("utf-16-le", "replace")
    elif data[::2].count(0) > _LEAST_TEXT * half:
        text = data.decode("utf-16-be", "replace")
    else:
        text = data.decode("utf-8", "replace")
    plain, others = _CONTROL.subn(" ", text)
    return plain if others <= (1 - _LEAST_TEXT) * len(text) else None
