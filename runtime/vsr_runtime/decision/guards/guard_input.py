"""The texts of one document that guards read, and their findings."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from vsr_runtime.decision.deadline import Expired, check_deadline, never
from vsr_runtime.decision.guards.api_words import TEXT_DATA
from vsr_runtime.decision.guards.detection import Detection, TextSpan
from vsr_runtime.decision.guards.finders import look_through
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.json_texts import JsonText, TextPosition, json_texts
from vsr_runtime.decision.guards.media import decoded_text, find_media
from vsr_runtime.decision.guards.message_texts import Join, are_parts, joins
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise
from vsr_runtime.decision.guards.rules.technical import is_technical_name
from vsr_runtime.decision.view import BYTES_PER_TOKEN

_STEPS_PER_TEXT, _STEPS_PER_CHARACTER = 1000, 300
"""Steps of the budget for a text, and for normalising a character of a text that is not ASCII."""
_NAMES = frozenset({"AGE", "DATE_TIME", "GPE", "NRP", "ORGANIZATION", "PERSON", "TITLE"})
"""Types of models of which technical names are none."""
Detections = Mapping[str, Sequence[Detection]]
"""Detections by detector: one per reading, in order."""


@dataclass(frozen=True, slots=True)
class Match:
    """A finding in a text."""

    leaf: JsonText
    span: TextSpan


class GuardInput:
    """The texts of one document. Duplicate texts are read once.

    Args:
        text: the document, valid JSON.
        values: the parsed document.
        expired: the deadline.

    Attributes:
        leaves: the texts and their positions.
        texts: what is read: these texts, those of a message joined, and those that strings contain as base64.
        lines: the texts of messages joined as lines. Only patterns read them.
        unreadable: whether there is content other than text.

    Raises:
        BudgetExceededError: the document has too many texts, or texts within texts.
        DeadlineExceededError: the deadline passed before all texts were collected.
    """

    def __init__(self, text: str, values: object, expired: Expired = never) -> None:
        types: dict[int, str] = {}
        texts = [leaf for leaf in json_texts(text, expired, types) if not _is_model(leaf, values)]
        media = find_media(values, expired)
        if media.data:
            times = Counter(leaf.value for leaf in texts if leaf.value in media.data)
            texts = [leaf for leaf in texts if times[leaf.value] != media.data[leaf.value] or not times[leaf.value]]
        self.leaves = tuple(texts)
        self.unreadable = media.present
        self._joins: dict[str, list[Join]] = {}
        for join in joins(self.leaves, types):
            self._joins.setdefault(join.text, []).append(join)
        own = (leaf.value for leaf in self.leaves)
        whole = (text for text, same in self._joins.items() if not all(join.as_lines for join in same))
        self.texts = tuple(dict.fromkeys((*own, *self._decoded, *whole)))
        self.lines = tuple(self._joins.keys() - set(self.texts)) if self._joins else ()
        self._normalised: dict[str, NormalisedText] = {}
        self._placed: dict[int, TextPosition] = {}

    @cached_property
    def readings(self) -> tuple[str, ...]:
        """The texts as detectors read them. Normalised: what hides a word from patterns hides it from a model."""
        return tuple(self._normal(text).text for text in self.texts)

    @cached_property
    def tokens(self) -> int:
        """Estimated length of all texts in tokens."""
        # The first level of texts within a text is usual, and as long as the text itself.
        size = sum(
            len(leaf.value.encode())
            for leaf in self.leaves
            if leaf.within is None or leaf.within.leaf.within is not None
        )
        return -(-size // BYTES_PER_TOKEN)

    def matches(self, guard: Guard, expired: Expired, detections: Detections | None = None) -> tuple[Match, ...]:
        """Return a guard's findings: all of them for a `mask` guard, otherwise only the first.

        Raises:
            DeadlineExceededError: the deadline passed first.
            KeyError: there are no detections of its detector.
        """
        matches = self._matches(guard, expired, detections)
        if guard.action == "mask":
            return tuple(matches)
        return tuple(match for match, _ in zip(matches, range(1), strict=False))

    def _matches(self, guard: Guard, expired: Expired, detections: Detections | None) -> Iterator[Match]:
        text_findings = self._spans(
            guard, expired, (detections or {})[guard.detector] if guard.detector is not None else ()
        )
        places: dict[str, list[JsonText]] = {}
        for leaf in self.leaves:
            places.setdefault(leaf.value, []).append(leaf)
        own = _Places(self)
        for text, text_spans in text_findings:
            for leaf in places.get(text, ()):
                found = [Match(leaf, span) for span in text_spans]
                own.matches += found
                yield from found
            for number in self._decoded.get(text, ()):
                leaf = self.leaves[number]
                yield from (Match(leaf, replace(span, start=0, end=len(leaf.value))) for span in text_spans)
            for join in self._joins.get(text, ()):
                for span in text_spans:
                    yield from self._across(join, span, own)

    def _across(self, join: Join, span: TextSpan, own: _Places) -> Iterator[Match]:
        """Yield a finding in joined texts, one piece per text.

        Fields of a message are no parts of one content. If one of them has a finding of its own, it is not extended
        into the others, which only seem to continue it: ``now.`` before a call with ``jane@example.org`` is no address.
        """
        matches = [Match(leaf, part) for leaf, part in join.across(span)]
        is_cut = len(matches) > 1 and not are_parts([match.leaf for match in matches])
        if not (is_cut and any(own.overlap(*self.position(match)) for match in matches)):
            yield from matches

    def _spans(
        self, guard: Guard, expired: Expired, detections: Sequence[Detection]
    ) -> Iterator[tuple[str, Sequence[TextSpan]]]:
        for number, text in enumerate((*self.texts, *self.lines)):
            check_deadline(expired, _STEPS_PER_TEXT)
            spans = self._pattern_spans(guard, text, expired) if guard.finders else []
            if detections and number < len(self.texts):
                spans += self._detected_spans(text, detections[number], guard)
            spans = [span for span in spans if span.end > span.start]
            if spans:
                yield text, spans

    def _pattern_spans(self, guard: Guard, text: str, expired: Expired) -> list[TextSpan]:
        """Return the findings of the guard's finders."""
        return guard.clean_texts.find(text, lambda: self._scan(guard, text, expired))

    def _scan(self, guard: Guard, text: str, expired: Expired) -> list[TextSpan]:
        if text not in self._normalised:
            check_deadline(expired, len(text) * (1 if text.isascii() else _STEPS_PER_CHARACTER))
        return look_through(guard.finders, self._normal(text), expired)

    def _detected_spans(self, text: str, detection: Detection, guard: Guard) -> Iterator[TextSpan]:
        """Yield the detections that count for the guard, in offsets of the text."""
        for span in detection.spans(guard.types, guard.threshold):
            if span.end > span.start and not _is_technical(span, self._normal(text).text):
                place = self._normal(text).original(span.start, span.end)
                yield TextSpan(*place, span.type, span.score, span.rule)

    def _normal(self, text: str) -> NormalisedText:
        if text not in self._normalised:
            self._normalised[text] = normalise(text)
        return self._normalised[text]

    @cached_property
    def _decoded(self) -> Mapping[str, Sequence[int]]:
        """The texts that strings contain as base64, and these strings."""
        decoded: dict[str, list[int]] = {}
        for number, leaf in enumerate(self.leaves):
            if leaf.key in TEXT_DATA or leaf.value.startswith("data:"):
                text = decoded_text(leaf.value)
                if text is not None:
                    decoded.setdefault(text, []).append(number)
        return decoded

    def position(self, match: Match) -> tuple[int, int]:
        """Return the start and end of a finding in the document."""
        position = self._placed.get(id(match.leaf))
        if position is None:
            position = self._placed[id(match.leaf)] = TextPosition(match.leaf)
        return position.at(match.span.start), position.at(match.span.end)


class _Places:
    """The places of findings in a document. They are sorted when they are first asked for."""

    def __init__(self, guard_input: GuardInput) -> None:
        self._guard_input = guard_input
        self.matches: list[Match] = []

    def overlap(self, start: int, end: int) -> bool:
        """Return whether a finding overlaps a range."""
        starts, ends = self._sorted
        place = bisect_left(starts, end)
        return place > 0 and ends[place - 1] > start

    @cached_property
    def _sorted(self) -> tuple[list[int], list[int]]:
        """The starts of findings, ascending, and the furthest end of all findings up to each."""
        places = sorted(map(self._guard_input.position, self.matches))
        return [start for start, _ in places], [*accumulate((end for _, end in places), max)]


def _is_technical(span: TextSpan, text: str) -> bool:
    """Return whether a model took a technical name, a version or a hash for a name or a place."""
    return span.type in _NAMES and is_technical_name(text[span.start : span.end])


def _is_model(leaf: JsonText, values: object) -> bool:
    """Return whether the text is the model's name, which is not user text."""
    return leaf.key == "model" and isinstance(values, Mapping) and leaf.value == values.get("model")
