"""Texts in base64 or hexadecimal digits within a text, which models read as well as plain text.

A word counts only if it decodes to text, and a cheap pattern shows first whether there may be one: letters of base64
that encode ASCII have few values in three of four places. Words of languages, identifiers and hashes rarely have them,
and decode to no text.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from vsr_runtime.decision.guards.recogniser import compile_bytes

_GATE = (
    rb"(?:[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][0-9A-Za-z+/_-]){3}|[0-9A-Za-z+/_-]{24}"
    rb"|(?:[2-7][0-9A-Fa-f](?:[ :,;-]{1,2}(?:0x)?)?){8}"
)
"""Twelve letters of base64 that encode ASCII, 24 that encode anything, or eight hexadecimal bytes of ASCII."""
_WORD = (
    rb"([0-9A-Za-z+/_-]{12,}(?:\r?\n[ \t]{0,16}[0-9A-Za-z+/_-]{4,})*={0,2})"
    rb"|\b(?:0x)?[0-9A-Fa-f]{2}(?:[ :,;-]{1,2}(?:0x)?[0-9A-Fa-f]{2}){7,}"
)
"""Letters of base64, maybe in several lines, or hexadecimal bytes."""
_HEX = re.compile(rb"(?:0x)?[0-9A-Fa-f]{2}(?:-?[0-9A-Fa-f]{2}){7,}+")
_LINE = re.compile(rb"[0-9A-Za-z+/_-]{12,}+={0,2}")
_PIECE = re.compile(rb"[0-9A-Za-z]{12,}+={0,2}")
_QUADS = re.compile(rb"(?:.{4})*?(?:[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589].){3}", re.DOTALL)
_BETWEEN_BYTES = re.compile(rb"0x|[ :,;-]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LAYOUT = b"=\r\n\t "
_PLAIN = bytes([9, 10, 13, *range(0x20, 0x7F)])
_LONG, _LEAST_HEX = 24, 16
"""Letters from which base64 of other texts than ASCII is decoded, and hexadecimal digits of the shortest word."""
_FOREIGN = 4
"""The part of the bytes, one of so many, that need not be text."""
_WIDE = 3
"""The part of the bytes that are zero in UTF-16: at least one of so many."""


def may_have_words(text: str) -> bool:
    """Return whether a text may contain an encoded text."""
    data = text.encode("ascii", "replace")
    return compile_bytes(_GATE).search(data) is not None


def encoded_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each encoded text, and what it encodes.

    If several lines together encode none, each of them may, or a part of one between other signs, as in a path.
    """
    for match in compile_bytes(_WORD).finditer(text.encode("ascii", "replace")):
        start, end = match.span()
        word, in_letters = match[0], match[1] is not None
        inner = _of_word(word) if in_letters else _of_hex(word)
        if inner is not None:
            yield start, end, inner
        elif in_letters:
            for first, last, part in _parts(word):
                yield start + first, start + last, part


def _parts(word: bytes) -> Iterator[tuple[int, int, str]]:
    for line in _LINE.finditer(word):
        inner = _of_word(line[0]) if len(line[0]) < len(word) else None
        if inner is not None:
            yield line.start(), line.end(), inner
            continue
        for piece in _PIECE.finditer(line[0]):
            inner = _of_word(piece[0]) if len(piece[0]) < len(line[0]) else None
            if inner is not None:
                yield line.start() + piece.start(), line.start() + piece.end(), inner


def _of_word(word: bytes) -> str | None:
    if len(word) >= _LEAST_HEX and _HEX.fullmatch(word):
        inner = _of_hex(word)
        if inner is not None:
            return inner
    return _of_base64(word) if len(word) >= _LONG or _QUADS.match(word) else None


def _of_hex(word: bytes) -> str | None:
    return _of_bytes(bytes.fromhex(_BETWEEN_BYTES.sub(b"", word).decode("ascii")))


def _of_base64(word: bytes) -> str | None:
    letters = word.translate(_URL_SAFE, _LAYOUT)
    try:
        return _of_bytes(binascii.a2b_base64(letters + b"==="))
    except binascii.Error:
        return None


def _of_bytes(data: bytes) -> str | None:
    """Return bytes as text, in UTF-8 or UTF-16, with blanks for what is no text; None if that is too much."""
    if data.count(0) * _WIDE >= len(data):
        text = data.decode("utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be", "replace")
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            if len(data.translate(None, _PLAIN)) * _FOREIGN > len(data):
                return None
            text = data.decode("utf-8", "replace")
    plain, others = _CONTROL.subn(" ", text)
    return plain if others * _FOREIGN <= len(text) else None
