"""Words that embeddings hardly see and answers depend on: numbers, negations, directions, names, and who does what.

Cosines of "raise" and "lower", of "5 to 7" and "7 to 5", or of "Alice owes Bob" and "Bob owes Alice" are as high as
those of paraphrases. A cached answer is for another request only if these words are the same, in the same order. A
request that is needlessly taken for a new one costs a call of the model and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DIRECTIONS = _words(
    """
    up raise raises raised raising increase increases increased increasing higher high more grow gain rise above
    over add most maximum max maximize longer long larger large big bigger greater heavier faster fast hotter hot
    warmer stronger down lower lowers lowered lowering decrease decreases decreased decreasing reduce reduces
    reducing less shrink lose fall drop low below under subtract least minimum min minimize shorter short smaller
    small little fewer lighter slower slow colder cold cooler weaker open opens opened opening unlock enable
    enables enabled enabling activate on start starts started starting begin begins launch allow allows allowed
    accept install show include with join connect attach close closes closed closing lock disable disables
    disabled disabling deactivate off stop stops stopped stopping end ends finish quit deny denies denied forbid
    block reject refuse uninstall remove removes removed removing delete hide exclude without leave disconnect
    detach before earlier early first previous past old older oldest yesterday last after later late next final
    future new newer newest tomorrow following buy buys bought purchase borrow receive get take import incoming
    download deposit credit sell sells sold lend send give export outgoing upload withdraw debit from to left
    right north south east west inside in into outside out safe safer safest good better best cheap cheaper
    cheapest legal true correct healthy easy easier positive win pros benefits advantages valid possible alive
    public male unsafe dangerous riskier bad worse worst expensive pricier illegal false incorrect wrong unhealthy
    hard harder difficult negative cons risks disadvantages invalid impossible dead private female love like
    always everyone everything all both agree pass encrypt encode compress hate dislike rarely nobody some any
    neither either disagree fail decrypt decode decompress top bottom upper upward downward forward backward ahead
    behind than until since through across against instead except only also front back husband wife parent child
    employer employee buyer seller lender borrower teacher student
    """
)
"""Words that have an opposite."""
_NEGATIONS = _words(
    """
    cannot never no nobody none nor not nothing without hardly un non nicht kein keine keinen keiner nie niemals
    ohne pas jamais sans rien aucun aucune sin nunca nada ningún ninguna senza mai nessuno não nem niet geen nooit
    inte aldrig не нет без никогда ikke 不 没 没有 无 ない なし
    """
)
_WORD = re.compile(r"\w+(?:['\u2019.,:/-]\w+)*|[+\-*/<>=%€$£]")
_PLAIN = _words(
    """
    a an the of for is are was were be been am do does did has have had i you he she it we they me my your his her
    its our their this that these those what which who whom whose when where why how can could should would will
    shall may might must and or but as at by if so than then there here please tell explain say let us just
    """
)
"""Words without which a sentence is the same one."""
_PLACES = _words(
    """
    on in at from to with into inside by of for about than
    """
)
"""Words that go with another one, and may be anywhere with it. They are compared as directions."""
_MARKED = _DIRECTIONS | _NEGATIONS
MAX_WORDS = 512
"""Words that are compared; a longer text is no paraphrase of another."""


def distinctions(text: str) -> tuple[str, ...]:
    """Return the words of a text that another text must have as well, in this order, to be the same question."""
    marks: list[str] = []
    after_number, start = False, True
    for match in _WORD.finditer(text):
        word = match[0]
        folded = word.casefold()
        name = any(mark.isupper() for mark in (word if not start else word[1:]))
        number = any(mark.isdigit() for mark in word)
        if number or after_number or name or folded in _MARKED or _is_letter(folded) or _is_negated(folded):
            marks.append(folded)
        after_number = number
        start = text[match.end() : match.end() + 1] in {".", "?", "!", ":", "\n"}
    return tuple(marks)


def _is_letter(word: str) -> bool:
    """Return whether a word is a letter that names something, or a sign."""
    return len(word) == 1 and word not in _PLAIN


def _is_negated(word: str) -> bool:
    return word.endswith(("n't", "n\u2019t"))


def content_words(text: str) -> tuple[str, ...]:
    """Return the words of a text that say what it is about, in their order."""
    words = (match[0].casefold().removesuffix("'s").removesuffix("\u2019s") for match in _WORD.finditer(text))
    return tuple(word for word in words if word not in _PLAIN and word not in _PLACES)


def same_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the words that two texts share are in the same order in both."""
    if max(len(one), len(other)) > MAX_WORDS:
        return False
    return _of(one, set(other)) == _of(other, set(one))


def _of(words: Iterable[str], shared: set[str]) -> list[str]:
    return [word for word in words if word in shared]
