"""Replaces what was found by placeholders, and puts it back into an answer that may come in pieces.

A placeholder is ``[EMAIL_ADDRESS_1]``: a model can speak of it, JSON need not escape it, and one value has the same
one throughout a request. It is not random, since that would hide nothing: who may read the masked request, the model
above all, reads the placeholder there. What it stands for is known to the request's own book only, so no answer can
bring up another request's data. A number that a text of the request uses already is not given, so what looked like a
placeholder to begin with comes back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Sequence

from vsr_runtime.decision.guards.detection import Span
from vsr_runtime.decision.guards.guard_input import GuardInput, Match
from vsr_runtime.decision.guards.json_texts import TextPosition

_DIGITS = 6
_FORM = re.compile(rf"\[([A-Z][A-Z0-9_]{{0,63}})_([1-9][0-9]{{0,{_DIGITS - 1}}})\]")
_BEGINNING = re.compile(r"\[[A-Z0-9_]*")
MAX_VALUES = 10_000
"""A text of the longest permitted request has fewer; who sends more wants memory."""


class TooManyPlaceholdersError(Exception):
    """There are more values to mask than a book takes; nothing may be sent on with the rest unmasked."""


class PlaceholderMap:
    """The placeholders of one request.

    Attributes:
        values: What each placeholder given so far stands for.
    """

    def __init__(self, most: int = MAX_VALUES) -> None:
        self.values: dict[str, str] = {}
        self._given: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self._taken: set[str] = set()
        self._most = most

    def reserve(self, text: str) -> None:
        """See that no placeholder is given that this text of the request has already, by chance or on purpose."""
        self._taken.update(match[0] for match in _FORM.finditer(text))

    def assign(self, type_: str, value: str) -> str:
        """The placeholder of a value.

        Raises:
            BookFullError: there are too many values.
        """
        known = self._given.get((type_, value))
        if known is not None:
            return known
        if len(self.values) >= self._most:
            raise TooManyPlaceholdersError(f"more than {self._most} values to mask")
        number = self._numbers.get(type_, 0) + 1
        while (given := placeholder(type_, number)) in self._taken:
            number += 1
        self._numbers[type_] = number
        self._given[type_, value] = given
        self.values[given] = value
        return given


def has_placeholder(text: str, given: Container[str]) -> bool:
    """Whether a text has one of these placeholders. What that takes does not depend on how many were given."""
    return any(match[0] in given for match in _FORM.finditer(text))


def placeholder(type: str, number: int) -> str:  # noqa: A002 - the field's name for it
    """What stands in the place of the so-manieth value of a type."""
    return f"[{type}_{number}]"


def mask_text(text: str, spans: Sequence[Span], book: PlaceholderMap) -> str:
    """The text with each span replaced; everything else is as it was.

    Args:
        text: The original.
        spans: In its offsets, without overlap, as ``spans`` of ``finders`` gives them.
        book: Of the request. Reserve its other texts first.

    Raises:
        BookFullError: there are too many values.
    """
    book.reserve(text)
    return "".join(_pieces(text, sorted(spans, key=lambda span: span.start), book))


def _pieces(text: str, spans: Sequence[Span], book: PlaceholderMap) -> Iterator[str]:
    last = 0
    for span in spans:
        yield text[last : span.start]
        yield book.assign(span.type, text[span.start : span.end])
        last = span.end
    yield text[last:]


class Unmasker:
    """Puts values back into a text that comes in pieces, which may be cut anywhere.

    It holds back no more than what may be the beginning of a placeholder that the book gave.
    """

    def __init__(self, book: PlaceholderMap) -> None:
        self._values = book.values
        self._longest = max(map(len, self._values), default=0)
        self._held = ""

    def feed(self, chunk: str) -> str:
        """What can be said after this piece."""
        text = self._held + chunk
        begun = text.rfind("[", max(0, len(text) - self._longest + 1))
        cut = begun if begun >= 0 and _BEGINNING.fullmatch(text, begun) else len(text)
        self._held = text[cut:]
        return self._restored(text[:cut])

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def end(self) -> str:
        """What was held back: the text ends, so it was no placeholder."""
        rest, self._held = self._held, ""
        return rest

    def _restored(self, text: str) -> str:
        return _FORM.sub(lambda match: self._values.get(match[0], match[0]), text)


def mask_document(text: str, matter: GuardInput, hits: Iterable[Match], book: PlaceholderMap) -> str:
    """The document with each finding replaced by a placeholder.

    A number becomes a text, since no number can say that it was one. Findings that overlap become one.

    Args:
        text: the document.
        matter: its texts.
        hits: what was found in them.
        book: of the request. It learns of the texts first, so that it gives no placeholder that stands there already.

    Raises:
        BookFullError: there are too many values.
    """
    for value in matter.texts:
        book.reserve(value)
    parts: list[str] = []
    last = 0
    for start, end, hit in _without_overlap(matter, hits):
        leaf = matter.leaves[hit.leaf]
        value = leaf.value[hit.span.start : hit.span.end] if leaf.quoted else leaf.value
        given = book.assign(hit.span.type, value)
        for _ in range(TextPosition(leaf).depth if leaf.quoted else 1):
            given = json.dumps(given)[1:-1]
        parts += [text[last:start], given if leaf.quoted else f'"{given}"']
        last = end
    return "".join([*parts, text[last:]])


def _without_overlap(matter: GuardInput, hits: Iterable[Match]) -> list[tuple[int, int, Match]]:
    """The places of findings in the document, those that overlap joined, each with the longest finding in it."""
    placed = sorted(((*_position(matter, hit), hit) for hit in hits), key=lambda item: (item[0], -item[1]))
    found: list[tuple[int, int, Match]] = []
    for start, end, hit in placed:
        if found and start < found[-1][1]:
            before, until, first = found[-1]
            # Two findings in one text become the whole of both; of a text inside the text the outer one is kept.
            if first.leaf == hit.leaf and end > until:
                span = first.span
                first = Match(hit.leaf, Span(span.start, hit.span.end, span.type, span.score, span.rule))
            found[-1] = (before, max(until, end), first)
        else:
            found.append((start, end, hit))
    return found


def _position(matter: GuardInput, hit: Match) -> tuple[int, int]:
    leaf = matter.leaves[hit.leaf]
    return matter.place(hit) if leaf.quoted else (leaf.start, leaf.start + len(leaf.raw))
