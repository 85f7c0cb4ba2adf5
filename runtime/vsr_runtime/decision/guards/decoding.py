r"""Undoes the escapes of URLs, HTML, mail and source code, base64 and hexadecimal digits, which models read as well.

``jane.doe%40example.org`` in a link and ``jane&#64;example.org`` in a page are addresses. Finders read a text with such
escapes twice: as it is, and decoded.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from html.entities import html5

from vsr_runtime.decision.guards.encoded_words import encoded_words, may_have_words
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise

MAX_LEVELS = 4
"""How often escapes are undone, since what they stand for may be the beginning of another: ``%2540``."""
_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)|(?P<quoted>(?:=[0-9A-F]{2})+)|(?P<byte>(?:\\x[0-9A-Fa-f]{2})+)"
    r"|(?P<octal>(?:\\[0-3][0-7]{2})+)"
    r"|&\#(?P<decimal>[0-9]{1,10});?|&\#[xX](?P<hexadecimal>[0-9A-Fa-f]{1,8});?|&(?P<name>[A-Za-z][A-Za-z0-9]{1,31};?)"
    r"|(?:%u|\\u)(?P<unit>[0-9A-Fa-f]{4})|\\u\{(?P<point>[0-9A-Fa-f]{1,6})\}"
)
_WIDTHS = {"percent": 3, "quoted": 3, "byte": 4, "octal": 4}
"""Characters of an escape for one byte."""
_BASES = {"decimal": 10, "hexadecimal": 16, "unit": 16, "point": 16}

_Placed = tuple[str, Sequence[int], Sequence[int]]
"""A text, and the start and end of each of its characters in the original."""


def decodings(normalised: NormalisedText) -> Iterator[NormalisedText]:
    """Yield the text with one level of escapes undone, with encoded words decoded, with two levels, and so on.

    Each level is read, since what is plain text at one level may look like an escape of the next: ``=DE89``.
    """
    text = normalised.text
    has_escapes = "%" in text or "&" in text or "=" in text or "\\" in text
    if not has_escapes and not may_have_words(text):
        return  # as fast as it gets, since most texts end here
    starts: Sequence[int] = normalised.starts
    ends: Sequence[int] = normalised.ends
    for _ in range(MAX_LEVELS):
        before = text
        for step in (_decoded, _with_words):
            changed = step(text, starts, ends)
            if changed is not None and changed[0] != text:
                text, starts, ends = changed
                inner = normalise(text)
                yield NormalisedText(
                    inner.text, [starts[start] for start in inner.starts], [ends[end - 1] for end in inner.ends]
                )
        if text == before:
            break


def _decoded(text: str, starts: Sequence[int], ends: Sequence[int]) -> _Placed | None:
    """Return the text with one level of escapes undone, and the place of each of its characters in the original."""
    pieces: list[str] = []
    firsts, lasts = array("I"), array("I")
    last = 0
    for match in _ESCAPE.finditer(text):
        characters = _characters(match)
        if not characters:
            continue
        pieces.append(text[last : match.start()])
        firsts.extend(starts[last : match.start()])
        lasts.extend(ends[last : match.start()])
        at = match.start()
        for character, width in characters:
            pieces.append(character)
            firsts.extend([starts[at]] * len(character))
            lasts.extend([ends[at + width - 1]] * len(character))
            at += width
        last = match.end()
    if not last:
        return None
    pieces.append(text[last:])
    firsts.extend(starts[last:])
    lasts.extend(ends[last:])
    return "".join(pieces), firsts, lasts


def _with_words(text: str, starts: Sequence[int], ends: Sequence[int]) -> _Placed | None:
    """Return the text with its encoded words decoded. Each of their characters has the place of the whole word."""
    if not may_have_words(text):
        return None
    pieces: list[str] = []
    firsts, lasts = array("I"), array("I")
    last = 0
    for begin, end, inner in encoded_words(text):
        # What is decoded is a word of its own, as it was before.
        word = " " * (text[begin - 1 : begin] == "_") + inner + " " * (text[end : end + 1] == "_")
        pieces += [text[last:begin], word]
        firsts.extend(starts[last:begin])
        lasts.extend(ends[last:begin])
        firsts.extend([starts[begin]] * len(word))
        lasts.extend([ends[end - 1]] * len(word))
        last = end
    if not last:
        return None
    pieces.append(text[last:])
    firsts.extend(starts[last:])
    lasts.extend(ends[last:])
    return "".join(pieces), firsts, lasts


def _characters(match: re.Match[str]) -> list[tuple[str, int]]:
    """Return what an escape stands for, each character with the length of its source; nothing if it is no escape."""
    kind, value = match.lastgroup or "", match[match.lastgroup or 0]
    if kind in _WIDTHS:
        width = _WIDTHS[kind]
        if kind == "octal":
            data = bytes(int(digits, 8) for digits in value.split("\\")[1:])
        else:
            data = bytes.fromhex(re.sub(r"\\x|[%=]", "", value))
        return [(letter, width * size) for letter, size in _letters(data)]
    if kind == "name":
        named = html5.get(value)
        return [(named, len(match[0]))] if named else []
    code = int(value, _BASES[kind])
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF  # noqa: PLR2004 - the range of Unicode
    return [(chr(code), len(match[0]))] if is_character else []


def _letters(data: bytes) -> list[tuple[str, int]]:
    """Return the characters of bytes, each with its number of bytes. Bytes that are not UTF-8 are Latin-1."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return [(letter, 1) for letter in data.decode("latin-1")]
    return [(letter, len(letter.encode())) for letter in text]
