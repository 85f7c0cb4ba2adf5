"""Literal words that are matched as whole words by Unicode rules, in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from vsr_runtime.decision.deadline import Expired, check_deadline

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3031-\u3035\u3038-\u303c\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaa7f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""Scripts that write words without spaces: Chinese, Japanese, Korean (particles), Thai, Lao, Burmese, Khmer."""
_LAST_MARK = 0x20000
"""No combining mark has a higher code point."""
_EMPTY = (("",), re.compile(""))
_NO_SPACES = re.compile(f"[{_UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Words:
    """Compiled words. If ``folded``, matching ignores case.

    A word matches as a whole: it must not touch a letter, digit, underscore or combining mark of a script with spaces.
    An end of the word that is no such character itself (``c++``, ``.net``), or that belongs to a script without spaces,
    has no such requirement.
    """

    words: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
    folded: bool

    @property
    def work(self) -> int:
        """Steps per byte of text."""
        return len(self.words)

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each word, whether it occurs."""
        text = text.casefold() if self.folded else text
        for spellings, pattern in self.words:
            check_deadline(expired, len(text))
            # A substring search is ten times faster than the pattern and usually decides.
            yield _contains_any(spellings, text) and pattern.search(text) is not None

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of occurrences of all words, at most ``stop``."""
        text = text.casefold() if self.folded else text
        number = 0
        for spellings, pattern in self.words:
            if not _contains_any(spellings, text):
                continue
            for _ in pattern.finditer(text):
                number += 1
                check_deadline(expired)
                if number >= stop:
                    return number
        return number


def compile_words(words: Sequence[str], *, case_sensitive: bool, empty: bool = False) -> Words:
    """Compile words. An accented letter matches both its composed and its decomposed form.

    Args:
        words: the words.
        case_sensitive: whether case matters.
        empty: whether the empty word is one, which every text contains.

    Raises:
        ValueError: a word is empty.
    """
    spelt = [word if case_sensitive else word.casefold() for word in words]
    return Words(tuple(_EMPTY if empty and not word else _word(word) for word in spelt), not case_sensitive)


def _word(word: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    if not word.strip():
        raise ValueError("a keyword is empty")
    spellings = tuple(dict.fromkeys((word, unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word))))
    return spellings, re.compile("|".join(map(_pattern, spellings)), re.DOTALL)


def _pattern(word: str) -> str:
    """Return the pattern of a spelling. The literal comes first, so that the search can skip ahead."""
    inside = _word_character()
    first, last = (re.match(inside, end) for end in (word[0], word[-1]))
    before = f"(?<!{inside}.{{{len(word)}}})" if first else ""
    return re.escape(word) + before + (f"(?!{inside})" if last else "")


@cache
def _word_character() -> str:
    r"""Return a class of characters of words in scripts with spaces. Python's ``\w`` lacks combining marks."""
    marks = [chr(code) for code in range(_LAST_MARK) if unicodedata.category(chr(code)).startswith("M")]
    joined = "".join(mark for mark in marks if not _NO_SPACES.match(mark))
    return rf"(?:[^\W{_UNSPACED}]|[{joined}])"


def _contains_any(spellings: tuple[str, ...], text: str) -> bool:
    """Return whether a spelling occurs in the text, also inside other words. A loop is faster here than `any`."""
    for spelling in spellings:  # noqa: SIM110 - see the docstring
        if spelling in text:
            return True
    return False
