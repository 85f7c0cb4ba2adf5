"""The words of a text as the stock router's BM25 sees them: ASCII, in lower case, without stop words, stemmed.

Sources, all read on 2026-12-02: the crate ``bm25`` 2.3.2 for the order of the steps; ``stop-words`` 0.9.0, whose
English list is NLTK's; Unicode's word boundaries (UAX 29), of which ASCII needs few rules. The crate ``deunicode``
spells other scripts and pictures in ASCII. Here they end a word instead: such spellings are no words of English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from vsr_runtime.decision.deadline import Expired, check_deadline
from vsr_runtime.decision.signals.keywords.stemming import stem

_PIECE = 1 << 16
"""Characters that are read between two looks at the deadline."""
_STEPS = 40
"""Steps of the budget for each character."""
_WORD = re.compile(r"[a-z0-9_]+(?:(?:(?<=[a-z])[:.'](?=[a-z])|(?<=[0-9])[,;.'](?=[0-9]))[a-z0-9_]+)*")
"""A word of lower-case ASCII by UAX 29: points and apostrophes join letters, points and commas join digits."""
_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u2032\u02bc\u00b4", "'"),
        "\u00df": "ss",
        "\u00e6": "ae",
        "\u00c6": "AE",
        "\u0153": "oe",
        "\u0152": "OE",
        "\u00fe": "th",
        **dict(zip("\u00f8\u00d8\u0111\u0110\u00f0\u00d0\u0142\u0141\u0131\u0127\u0126", "oOdDdDlLihH", strict=True)),
    }
)
"""Letters and apostrophes that have no decomposition."""
_NLTK = """
i me my myself we our ours ourselves you you're you've you'll you'd your yours yourself yourselves he him his
himself she she's her hers herself it it's its itself they them their theirs themselves what which who whom
this that that'll these those am is are was were be been being have has had having do does did doing a an the
and but if or because as until while of at by for with about against between into through during before after
above below to from up down in out on off over under again further then once here there when where why how all
any both each few more most other some such no nor not only own same so than too very s t can will just don
don't should should've now d ll m o re ve y ain aren aren't couldn couldn't didn didn't doesn doesn't hadn
hadn't hasn hasn't haven haven't isn isn't ma mightn mightn't mustn mustn't needn needn't shan shan't shouldn
shouldn't wasn wasn't weren weren't won won't wouldn wouldn't
"""
STOP_WORDS = frozenset(_NLTK.split())


def terms(text: str, expired: Expired) -> Iterator[str]:
    """Yield the stems of the words of a text, in order.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    for piece in _pieces(text):
        check_deadline(expired, _STEPS * len(piece))
        for match in _WORD.finditer(to_ascii(piece).lower()):
            word = match[0]
            if word not in STOP_WORDS and word.strip("_"):
                yield stem(word)


def to_ascii(text: str) -> str:
    """Return a text in ASCII. Accents are dropped, and characters that are no letter with an accent become blanks."""
    if text.isascii():
        return text
    spelled = unicodedata.normalize("NFKD", text.translate(_SPELLINGS))
    return "".join(char if char < "\x80" else "" if unicodedata.combining(char) else " " for char in spelled)


def unknown_letters(word: str) -> str:
    """Return the letters of a word that have no spelling in ASCII."""
    spelled = unicodedata.normalize("NFKD", word.translate(_SPELLINGS))
    return "".join(char for char in spelled if char > "\x7f" and not unicodedata.combining(char) and char.isalnum())


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that end at a blank, if there is one."""
    at = 0
    while at < len(text):
        end = at + _PIECE
        if end < len(text):
            blank = text.rfind(" ", at, end)
            end = end if blank <= at else blank
        yield text[at:end]
        at = end
