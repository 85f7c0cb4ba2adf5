"""Normalises text so that characters which hide words from detectors, but not from models, have no effect.

The steps, each in linear time:

- Remove characters that show nothing: those that Unicode calls default ignorable (zero-width characters, fillers,
  variation selectors), format and control characters other than line breaks and tabs, and code points that are no
  characters or whose meaning is private or not assigned.
- Replace tag characters, an invisible copy of ASCII, by what they copy. Flag sequences are kept.
- Apply NFKC: full-width, mathematical, circled, super- and subscript forms become plain letters, as do white letters
  on black.
- Remove marks of other scripts than their letter's, and marks of no script that form no precomposed letter with it.
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
_IGNORABLE_RANGES = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""The property Default_Ignorable_Code_Point of Unicode 16.0, which Python does not have (DerivedCoreProperties.txt)."""
_IGNORABLE = frozenset(code for first, last in _IGNORABLE_RANGES for code in range(first, last + 1))
_SHOWING_NOTHING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
"""Categories of characters without a form of their own: controls, formats, and code points that are no characters,
private or not assigned. Unicode's noncharacters are not assigned."""
_REPLACEMENTS = frozenset({0xFFFC, 0xFFFD})
"""Characters that stand for something that is not there."""
_LINE_BREAKS = frozenset({0x09, 0x0A, 0x0D, 0x85})
_ZERO_WIDTH = "\u200b"
_ASTRAL_START = 0x10000
_CANCEL_TAG = 0xE007F
"""The end of a flag; shows nothing by itself."""
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
_STABLE = {"Ll", "Lu", "Lo", "So", "Sm"}
"""Categories without marks, digits, spaces, controls and punctuation. Members without decomposition are stable."""
_ASCII_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACED = re.compile(r"(?<!\S)\S (?:[^\n] ){3,}[^\n](?!\S)")
"""Letters that are separated by single spaces; a space between words counts as a letter."""
_APART = re.compile(r" \S {1,3}\S ")
"""A necessary part of such a run, which is cheap to search for and absent from most texts."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


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
    astral = _ASTRAL.search(text) is not None
    read = _without_hidden_astral(text) if astral else text
    for match in _changing(astral=astral).finditer(read):
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


def prepare() -> None:
    """Build the tables of ``normalise``, which takes about a tenth of a second, so that no request waits for them."""
    _changing(astral=False)
    _changing(astral=True)


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
    seen = _visible(unicodedata.normalize("NFKC", _visible(piece)))
    script = _script(seen[0]) if seen and unicodedata.category(seen[0])[0] != "M" else None
    return "".join(
        _plain(letter) for letter in seen if unicodedata.category(letter)[0] != "M" or _script(letter) == script
    )


def _visible(piece: str) -> str:
    return "".join(letter for letter in piece if not _is_invisible(ord(letter)))


def _without_hidden_astral(text: str) -> str:
    """Return the text with zero-width spaces for characters beyond the basic plane that show nothing, and for marks.

    Patterns take time for each range of such characters, and there are hundreds.
    """
    hidden = {
        code: _ZERO_WIDTH
        for code in map(ord, set(text))
        if code >= _ASTRAL_START
        and code != _CANCEL_TAG
        and (_is_invisible(code) or unicodedata.category(chr(code))[0] == "M")
    }
    return text.translate(hidden) if hidden else text


def _is_invisible(code: int) -> bool:
    """Return whether a character shows nothing. Tag characters are replaced before, and line breaks stay."""
    if code in _LINE_BREAKS or _TAG + 0x20 <= code <= _TAG + 0x7E:
        return False
    return unicodedata.category(chr(code)) in _SHOWING_NOTHING or code in _REPLACEMENTS or code in _IGNORABLE


def _script(letter: str) -> str:
    """Return the script of a letter or mark, which its name begins with; marks of no script are ``COMBINING``."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    return " " if unicodedata.category(letter) == "Zs" else _PLAIN.get(ord(letter), letter)


@cache
def _changing(*, astral: bool) -> re.Pattern[str]:
    """Return a pattern for characters that may change, each with the characters that combine with it.

    Marks combine with the character before them, and so do those vowels and finals of Hangul and Indic scripts that can
    be composed but are not marks. The decomposition tells which.

    Args:
        astral: whether the text has characters beyond the basic plane. Without them the pattern is much faster.
    """
    invisible, follow, change = _classes()
    hidden, behind = _ranges(invisible), _ranges(follow)
    if astral:
        hidden += chr(_CANCEL_TAG)
    else:
        change = [code for code in change if code < _ASTRAL_START]
    tags = _TAG_CLASS if astral else ""
    flag = f"{_FLAG}|" if astral else ""
    return re.compile(
        f"{flag}[^{hidden}{tags}][{behind}{hidden}]{{1,{_MAX_MARKS}}}|[{_ranges(change)}{behind}{hidden}]"
    )


@cache
def _classes() -> tuple[list[int], list[int], list[int]]:
    """Return code points of the basic plane that show nothing, those that combine, and all others that change."""
    composing = _composing()
    follow, change = [], []
    invisible = [code for code in range(_ASTRAL_START) if _is_invisible(code)]
    hidden = set(invisible)
    for code in _CHANGING:
        if code in hidden or (code >= _ASTRAL_START and _is_invisible(code)):
            continue
        letter = chr(code)
        category = unicodedata.category(letter)
        stays = category in _STABLE and code not in _PLAIN
        if stays and letter not in composing and not unicodedata.decomposition(letter):
            continue
        first = unicodedata.normalize("NFKD", letter)[0]
        if unicodedata.category(first)[0] == "M" or first in composing:
            if code < _ASTRAL_START:
                follow.append(code)
        elif _segment.__wrapped__(letter) != letter:
            change.append(code)
    return invisible, follow, change


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
