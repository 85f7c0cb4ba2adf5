"""Masking: replaces findings by placeholders, and restores them in a response that may arrive in chunks.

A placeholder looks like ``[EMAIL_ADDRESS_1]``: a model can refer to it, JSON need not escape it, and one value has the
same placeholder throughout a request. It is not random, because that would hide nothing: whoever reads the masked
request, the model above all, reads the placeholder. Its value is known only to the request's own placeholder map, so no
response can reveal data of another request. A placeholder that already occurs in a text of the request is not assigned,
so text that looked like a placeholder is returned unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Sequence

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.guard_input import GuardInput, Match
from vsr_runtime.decision.guards.json_texts import TextPosition

_DIGITS = 6
_FORM = re.compile(rf"\[([A-Z][A-Z0-9_]{{0,63}})_([1-9][0-9]{{0,{_DIGITS - 1}}})\]")
_BEGINNING = re.compile(r"\[[A-Z0-9_]*")
MAX_VALUES = 10_000
"""More than any regular request has; a bound on memory."""


class TooManyPlaceholdersError(Exception):
    """There are too many values to mask. Nothing may be sent with the rest unmasked."""


class PlaceholderMap:
    """The placeholders of one request.

    Attributes:
        values: the value of each assigned placeholder.
    """

    def __init__(self, max_values: int = MAX_VALUES) -> None:
        self.values: dict[str, str] = {}
        self._assigned: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self._taken: set[str] = set()
        self._max_values = max_values

    def reserve(self, text: str) -> None:
        """Ensure that no placeholder is assigned that already occurs in this text of the request."""
        self._taken.update(match[0] for match in _FORM.finditer(text))

    def assign(self, type_: str, value: str) -> str:
        """Return the placeholder of a value.

        Raises:
            TooManyPlaceholdersError: there are too many values.
        """
        known = self._assigned.get((type_, value))
        if known is not None:
            return known
        if len(self.values) >= self._max_values:
            raise TooManyPlaceholdersError(f"more than {self._max_values} values to mask")
        number = self._numbers.get(type_, 0) + 1
        while (assigned := placeholder(type_, number)) in self._taken:
            number += 1
        self._numbers[type_] = number
        self._assigned[type_, value] = assigned
        self.values[assigned] = value
        return assigned


def has_placeholder(text: str, assigned: Container[str]) -> bool:
    """Return whether a text has one of these placeholders. The time does not depend on their number."""
    return any(match[0] in assigned for match in _FORM.finditer(text))


def placeholder(type: str, number: int) -> str:  # noqa: A002 - the name of the field
    """Return the placeholder for the n-th distinct value of a type."""
    return f"[{type}_{number}]"


def mask_text(text: str, spans: Sequence[TextSpan], placeholders: PlaceholderMap) -> str:
    """Return the text with each span replaced.

    Args:
        text: the original.
        spans: spans of the original without overlap, as returned by ``finders.spans``.
        placeholders: the map of the request. Reserve its other texts first.

    Raises:
        TooManyPlaceholdersError: there are too many values.
    """
    placeholders.reserve(text)
    return "".join(_pieces(text, sorted(spans, key=lambda span: span.start), placeholders))


def _pieces(text: str, spans: Sequence[TextSpan], placeholders: PlaceholderMap) -> Iterator[str]:
    last = 0
    for span in spans:
        yield text[last : span.start]
        yield placeholders.assign(span.type, text[span.start : span.end])
        last = span.end
    yield text[last:]


class Unmasker:
    """Restores values in a text that arrives in chunks, which may be cut anywhere.

    It holds back only what may be the beginning of an assigned placeholder.
    """

    def __init__(self, placeholders: PlaceholderMap) -> None:
        self._values = placeholders.values
        self._longest = max(map(len, self._values), default=0)
        self._held = ""

    def feed(self, chunk: str) -> str:
        """Return the text that can be released after this chunk."""
        text = self._held + chunk
        begun = text.rfind("[", max(0, len(text) - self._longest + 1))
        cut = begun if begun >= 0 and _BEGINNING.fullmatch(text, begun) else len(text)
        self._held = text[cut:]
        return self._restored(text[:cut])

    @property
    def holds(self) -> bool:
        """Whether text is held back."""
        return bool(self._held)

    def end(self) -> str:
        """Return the text that was held back: the text ends, so it is not a placeholder."""
        rest, self._held = self._held, ""
        return rest

    def _restored(self, text: str) -> str:
        return _FORM.sub(lambda match: self._values.get(match[0], match[0]), text)


def mask_document(text: str, guard_input: GuardInput, matches: Iterable[Match], placeholders: PlaceholderMap) -> str:
    """Return the JSON document with each finding replaced by a placeholder. All other bytes are unchanged.

    A number becomes a text. Overlapping findings are joined.

    Args:
        text: the document.
        guard_input: its texts.
        matches: findings in them.
        placeholders: the map of the request. The document's texts are reserved first.

    Raises:
        TooManyPlaceholdersError: there are too many values.
    """
    for value in guard_input.texts:
        placeholders.reserve(value)
    parts: list[str] = []
    last = 0
    for start, end, match in _without_overlap(guard_input, matches):
        leaf = match.leaf
        value = leaf.value[match.span.start : match.span.end] if leaf.quoted else leaf.value
        assigned = placeholders.assign(match.span.type, value)
        for _ in range(TextPosition(leaf).depth if leaf.quoted else 1):
            assigned = json.dumps(assigned)[1:-1]
        parts += [text[last:start], assigned if leaf.quoted else f'"{assigned}"']
        last = end
    return "".join([*parts, text[last:]])


def _without_overlap(guard_input: GuardInput, matches: Iterable[Match]) -> list[tuple[int, int, Match]]:
    """Return the positions of findings, with overlapping ones joined, and the longest finding of each."""
    placed = sorted(
        ((*_position(guard_input, match), match) for match in matches), key=lambda item: (item[0], -item[1])
    )
    joined: list[tuple[int, int, Match]] = []
    for start, end, match in placed:
        if joined and start < joined[-1][1]:
            before, until, first = joined[-1]
            # Two findings in one text become the whole of both; of a text inside the text the outer one is kept.
            if first.leaf is match.leaf and end > until:
                span = first.span
                first = Match(match.leaf, TextSpan(span.start, match.span.end, span.type, span.score, span.rule))
            joined[-1] = (before, max(until, end), first)
        else:
            joined.append((start, end, match))
    return joined


def _position(guard_input: GuardInput, match: Match) -> tuple[int, int]:
    leaf = match.leaf
    return guard_input.position(match) if leaf.quoted else (leaf.start, leaf.start + len(leaf.raw))
