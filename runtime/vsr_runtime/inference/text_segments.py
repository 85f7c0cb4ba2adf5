"""Cuts a text into segments that a tokenizer reads one after another, so that its work is bounded by tokens.

A tokenizer reads all of a text before it gives the first token, and Python's global lock is held while its result
becomes lists. In segments, reading ends with the tokens that are needed, and no step takes more than some milliseconds,
whatever the text is: one word, digits, base64, emoji, combining marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SEGMENT = 8192
"""Characters of a segment."""
MAX_RUN = 256
"""Characters of a word, and of blanks, that are read; the rest is skipped. Only for models that read long words as
unknown, such as BERT, whose limit is 100 characters without marks. Blanks have no tokens there."""
_PART = 1 << 18
"""Characters in which the end of a long word is searched for at a time."""
_SPLIT = (
    "\\s!-/:-@\\[-`{-~\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u2e80-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U00020000-\U0002fa1f"
)
"""Characters that end a word: blanks, punctuation, and ideographs, which are words by themselves."""
_LONG_RUN = re.compile(f"(?<![^{_SPLIT}])[^{_SPLIT}]{{{MAX_RUN + 1},}}|(?<!\\s)\\s{{{MAX_RUN + 1},}}")
_BLANK, _NO_BLANK = re.compile(r"\s"), re.compile(r"\S")
_WORD_END = re.compile(f"[{_SPLIT}]")


def segments(text: str, *, skip_runs: bool) -> Iterator[tuple[int, str]]:
    """Yield the segments of a text, each with its position. Concatenated they are the text, but for what is skipped.

    A segment ends before a blank if there is one in its last sixteenth, so that no word is cut; otherwise before
    punctuation or an ideograph, otherwise anywhere.

    Args:
        text: the text, of any length.
        skip_runs: whether all but `MAX_RUN` characters of longer words and blanks are skipped.
    """
    at = 0
    while at < len(text):
        end = _end(text, at)
        run = _LONG_RUN.search(text, at, end) if skip_runs else None
        if run is None:
            yield at, text[at:end]
            at = end
        else:
            yield at, text[at : run.start() + MAX_RUN]
            at = _run_end(text, run)


def last_part(text: str, size: int) -> int:
    """Return where the last part of a text begins: at most so many characters, from the beginning of a word if any."""
    if len(text) <= size:
        return 0
    start = len(text) - size
    for boundary in (_BLANK, _WORD_END):
        match = boundary.search(text, start, start + size // 4)
        if match:
            return match.start()
    return start


def _end(text: str, at: int) -> int:
    """Return the end of the segment that begins here."""
    end = at + SEGMENT
    if end >= len(text):
        return len(text)
    for boundary in (_BLANK, _WORD_END):
        last = max((match.start() for match in boundary.finditer(text, end - SEGMENT // 16, end)), default=0)
        if last:
            return last
    return end


def _run_end(text: str, run: re.Match[str]) -> int:
    """Return the end of a word or of blanks, which may go on behind the match."""
    after = _NO_BLANK if run[0][0].isspace() else _WORD_END
    at = run.end()
    while at < len(text):
        match = after.search(text, at, at + _PART)
        if match:
            return match.start()
        at += _PART
    return len(text)
