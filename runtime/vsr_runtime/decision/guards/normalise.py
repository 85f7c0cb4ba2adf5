"""Normalises text so that characters which hide words from detectors, but not from models, have no effect.

The steps, each in linear time:

- Remove invisible characters: zero-width characters, soft hyphens, variation selectors, bidi controls, and control
  characters other than line breaks and tabs.
- Replace tag characters, an invisible copy of ASCII, by what they copy. Flag sequences are kept.
- Apply NFKC: full-width, mathematical, circled, super- and subscript forms become plain letters, as do white letters
  on black.
- Remove marks that are stacked on letters without forming a precomposed letter.
- Replace digits of all scripts by ASCII digits, every space by a space, every dash by a hyphen, curly quotes by
  straight ones.
- Replace look-alike letters by Latin ones if their word shows that Latin is meant; see ``lookalikes``.

Case, spacing, spelling and language are unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.lookalikes import fold

TAG_CHARACTERS, BIDI_OVERRIDE = "TAG_CHARACTERS", "BIDI_OVERRIDE"
_TAG = 0xE0000
"""Offset of tag characters from ASCII."""
_TAG_CLASS = "\U000e0020-\U000e007e"
_INVISIBLE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e007f-\U000e0fff"
)
"""Control characters and Unicode's default ignorable characters, except tag characters."""
_STACKED = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_MAX_MARKS = 30
"""Maximum marks per letter, as in Unicode's stream-safe format (UAX 15): reordering them takes quadratic time."""
_PLAIN = {
    **dict.fromkeys([*range(0x2010, 0x2016), 0x058A, 0x2043, 0x2212, 0x2E3A, 0x2E3B], "-"),
    **dict.fromkeys([0x2018, 0x2019, 0x201A, 0x201B, 0x2032], "'"),
    **dict.fromkeys([0x201C, 0x201D, 0x201E, 0x201F, 0x2033], '"'),
    **dict.fromkeys([0x2044, 0x2215], "/"),
    **dict.fromkeys([0x85, 0x2028, 0x2029], "\n"),
    **{first + place: chr(ord("A") + place) for first in (0x1F150, 0x1F170) for place in range(26)},
}
_FLAGS = "|".join("".join(chr(_TAG + ord(letter)) for letter in flag) for flag in ("gbeng", "gbsct", "gbwls"))
_FLAG = f"(?<=\U0001f3f4)(?:{_FLAGS})\U000e007f"
_HIDING = re.compile(f"({_FLAG})|([{_TAG_CLASS}]+)|[\u202d\u202e]")
_CHANGING = (*range(0x80, 0x20000), *range(0x2F800, 0x2FA20), *range(0xE0000, 0xE1000))
"""All code points that may change are among these. Above are ideographs, which are stable, and private ones."""
_STABLE = {"Ll", "Lu", "Lo", "So", "Sm", "Cn", "Co", "Cs"}
"""Categories without marks, digits, spaces, controls and punctuation. Members without decomposition are stable."""
_ASCII_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACED = re.compile(r"(?<!\S)\S (?:[^\n] ){3,}[^\n](?!\S)")
"""Letters that are separated by single spaces; a space between words counts as a letter."""
_APART = re.compile(r" \S {1,3}\S ")
"""A necessary part of such a run, which is cheap to search for and absent from most texts."""
_INVISIBLE_CLASS = re.compile(f"[{_INVISIBLE}]")


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """A text as finders read it, and the original position of each of its characters.

    Attributes:
        text: the normalised text.
        starts: for each character of ``text``, the start of its source in the original.
        ends: for each character of ``text``, the end of its source in the original.
        hidden: runs of tag characters and bidi overrides, whose only purpose is to hide text, in offsets of the
            original.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    hidden: Sequence[TextSpan] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the original that became ``text[start:end]``, which must not be empty."""
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> NormalisedText:
    """Return the normalised text."""
    if text.isascii() and not _ASCII_INVISIBLE.search(text):
        return NormalisedText(text, range(len(text)), range(1, len(text) + 1))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last = 0
    for match in _changing().finditer(text):
        begin, end = match.span()
        _append_unchanged(pieces, starts, ends, text[last:begin], last)
        became = _segment(match[0])
        pieces.append(became)
        starts.extend([begin] * len(became))
        ends.extend([end] * len(became))
        last = end
    _append_unchanged(pieces, starts, ends, text[last:], last)
    hidden = tuple(
        TextSpan(*match.span(), TAG_CHARACTERS if match[2] else BIDI_OVERRIDE, 1.0, "hidden")
        for match in _HIDING.finditer(text)
        if not match[1]
    )
    return NormalisedText(fold("".join(pieces)), starts, ends, hidden)


def join_spaced_letters(normalised: NormalisedText) -> NormalisedText | None:
    """Return the text with ``i g n o r e   t h i s`` joined to words; None if no letters are spaced.

    Only for an additional scan: rows of figures and tables of single letters look the same.
    """
    runs = list(_SPACED.finditer(normalised.text)) if _APART.search(normalised.text) else []
    if not runs:
        return None
    places: list[int] = []
    last = 0
    for run in runs:
        places += range(last, run.start())
        places += range(run.start(), run.end(), 2)
        last = run.end()
    places += range(last, len(normalised.text))
    return NormalisedText(
        "".join(normalised.text[place] for place in places),
        [normalised.starts[place] for place in places],
        [normalised.ends[place] for place in places],
    )


def _append_unchanged(pieces: list[str], starts: list[int], ends: list[int], piece: str, at: int) -> None:
    """Append characters that do not change."""
    if piece:
        pieces.append(piece)
        starts.extend(range(at, at + len(piece)))
        ends.extend(range(at + 1, at + len(piece) + 1))


@lru_cache(maxsize=1 << 14)
def _segment(piece: str) -> str:
    """Return the replacement of characters that belong together."""
    if len(piece) > 1 and _TAG < ord(piece[0]) < _TAG + 0x80:
        return ""  # the letters of a flag
    if len(piece) == 1 and re.match(f"[{_TAG_CLASS}]", piece):
        return chr(ord(piece) - _TAG)
    if (digit := unicodedata.digit(piece[0], None)) is not None:
        piece = f"{digit}{piece[1:]}"
    seen = unicodedata.normalize("NFKC", _INVISIBLE_CLASS.sub("", piece))
    return "".join(map(_plain, _STACKED.sub("", _INVISIBLE_CLASS.sub("", seen))))


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    return " " if unicodedata.category(letter) == "Zs" else _PLAIN.get(ord(letter), letter)


@cache
def _changing() -> re.Pattern[str]:
    """Return a pattern for characters that may change, each with the characters that combine with it.

    Marks combine with the character before them, and so do those vowels and finals of Hangul and Indic scripts that can
    be composed but are not marks. The decomposition tells which.
    """
    composing = _composing()
    follow, change = [], []
    for code in _CHANGING:
        letter = chr(code)
        category = unicodedata.category(letter)
        stays = category in _STABLE and code not in _PLAIN
        if stays and letter not in composing and not unicodedata.decomposition(letter):
            continue
        first = unicodedata.normalize("NFKD", letter)[0]
        if unicodedata.combining(first) or first in composing:
            follow.append(code)
        elif _segment.__wrapped__(letter) != letter:
            change.append(code)
    behind = _ranges(follow)
    return re.compile(
        f"{_FLAG}|[^{_INVISIBLE}{_TAG_CLASS}][{behind}{_INVISIBLE}]{{1,{_MAX_MARKS}}}|[{_ranges(change)}{behind}{_INVISIBLE}]"
    )


def _composing() -> frozenset[str]:
    """Return the second characters of compositions that are not marks by category."""
    pairs = (unicodedata.decomposition(chr(code)).split() for code in _CHANGING)
    seconds = {chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}  # noqa: PLR2004 - a pair
    hangul = map(chr, (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)))
    return frozenset(hangul) | {second for second in seconds if not unicodedata.combining(second)}


def _ranges(codes: Iterable[int]) -> str:
    """Return sorted code points as the inside of a character class."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in runs)
