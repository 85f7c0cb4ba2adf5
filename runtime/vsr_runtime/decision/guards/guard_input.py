"""The texts of one document that guards read, and their findings."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from vsr_runtime.decision.deadline import Expired, check_deadline, never
from vsr_runtime.decision.guards.api_words import MEDIA_KEYS, MEDIA_TYPES, READABLE_SOURCES, TOKEN_FIELDS, TOKEN_KEYS
from vsr_runtime.decision.guards.detection import Detection, TextSpan
from vsr_runtime.decision.guards.finders import look_through
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.json_texts import JsonText, TextPosition, is_blob, json_texts
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise
from vsr_runtime.decision.view import BYTES_PER_TOKEN

_VALUES_PER_CHECK = 2048
"""Values between two checks of the deadline."""
_STEPS_PER_VALUE, _STEPS_PER_TEXT, _STEPS_PER_CHARACTER = 200, 1000, 300
"""Steps of the budget for a value, for a text, and for normalising a character of a text that is not ASCII."""
Detections = Mapping[str, Sequence[Detection]]
"""Detections by detector: one per reading, in order."""


@dataclass(frozen=True, slots=True)
class Match:
    """A finding in a text, which is identified by its number."""

    leaf: int
    span: TextSpan


class GuardInput:
    """The texts of one document. Duplicate texts are read once.

    Args:
        text: the document, valid JSON.
        values: the parsed document.
        expired: the deadline.

    Raises:
        BudgetExceededError: the document has too many texts, or texts within texts.
        DeadlineExceededError: the deadline passed before all texts were collected.
    """

    def __init__(self, text: str, values: object, expired: Expired = never) -> None:
        texts = [leaf for leaf in json_texts(text, expired) if not _is_model(leaf, values)]
        self.leaves = tuple(leaf for leaf in texts if not is_blob(leaf))
        self.unreadable = len(self.leaves) < len(texts) or _has_media(values, expired)
        self.texts = tuple(dict.fromkeys((*(leaf.value for leaf in self.leaves), *self._joined)))
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
        places: dict[str, list[int]] = {}
        for number, leaf in enumerate(self.leaves):
            places.setdefault(leaf.value, []).append(number)
        for text, text_spans in text_findings:
            for number in places.get(text, ()):
                yield from (Match(number, span) for span in text_spans)
            for run in self._joined.get(text, ()):
                yield from self._across(run, text_spans)

    def _spans(
        self, guard: Guard, expired: Expired, detections: Sequence[Detection]
    ) -> Iterator[tuple[str, Sequence[TextSpan]]]:
        for number, text in enumerate(self.texts):
            check_deadline(expired, _STEPS_PER_TEXT)
            spans = self._pattern_spans(guard, text, expired) if guard.finders else []
            spans += self._detected_spans(text, detections[number], guard) if detections else ()
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
            if span.end > span.start:
                place = self._normal(text).original(span.start, span.end)
                yield TextSpan(*place, span.type, span.score, span.rule)

    def _normal(self, text: str) -> NormalisedText:
        if text not in self._normalised:
            self._normalised[text] = normalise(text)
        return self._normalised[text]

    @cached_property
    def _joined(self) -> Mapping[str, Sequence[Sequence[int]]]:
        """Content parts joined to one text, as a model reads them: each such text, and the parts that form it."""
        runs: dict[int, list[int]] = {}
        for number, leaf in enumerate(self.leaves):
            if leaf.run is not None:
                runs.setdefault(leaf.run, []).append(number)
        joined: dict[str, list[list[int]]] = {}
        for numbers in runs.values():
            if len(numbers) > 1:
                joined.setdefault("".join(self.leaves[number].value for number in numbers), []).append(numbers)
        return joined

    def _across(self, run: Sequence[int], spans: Sequence[TextSpan]) -> Iterator[Match]:
        """Yield the findings that cross from one part to another, one piece per part.

        Others are found in their part.
        """
        begins = [0, *accumulate(len(self.leaves[number].value) for number in run)]
        for span in spans:
            first, end = bisect_right(begins, span.start) - 1, bisect_left(begins, span.end)
            if end - first > 1:
                for place in range(first, end):
                    begin = begins[place]
                    start, stop = max(span.start, begin) - begin, min(span.end, begins[place + 1]) - begin
                    yield Match(run[place], TextSpan(start, stop, span.type, span.score, span.rule))

    def position(self, match: Match) -> tuple[int, int]:
        """Return the start and end of a finding in the document."""
        position = self._placed.get(match.leaf)
        if position is None:
            position = self._placed[match.leaf] = TextPosition(self.leaves[match.leaf])
        return position.at(match.span.start), position.at(match.span.end)


def _is_model(leaf: JsonText, values: object) -> bool:
    """Return whether the text is the model's name, which is not user text."""
    return leaf.key == "model" and isinstance(values, Mapping) and leaf.value == values.get("model")


def _has_media(values: object, expired: Expired) -> bool:
    """Return whether the document has content other than text."""
    if isinstance(values, Mapping) and (
        any(_has_token_ids(values.get(key)) for key in TOKEN_FIELDS) or isinstance(values.get("prompt"), Mapping)
    ):
        return True
    pending = [values]
    count = 0
    while pending:
        node = pending.pop()
        count += 1
        if count % _VALUES_PER_CHECK == 0:
            check_deadline(expired, _VALUES_PER_CHECK * _STEPS_PER_VALUE)
        if isinstance(node, Mapping):
            if _is_media(node):
                return True
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return False


def _is_media(node: Mapping[str, object]) -> bool:
    kind = node.get("type")
    if kind == "document":
        source = node.get("source")
        return not (isinstance(source, Mapping) and source.get("type") in READABLE_SOURCES)
    if isinstance(kind, str) and kind in MEDIA_TYPES:
        return True
    return any(_holds_media(node[key]) for key in MEDIA_KEYS & node.keys()) or any(
        isinstance(node[key], list) and node[key] for key in TOKEN_KEYS & node.keys()
    )


def _holds_media(value: object) -> bool:
    """Return whether there is content under a media key. A schema that describes such a key has none."""
    if isinstance(value, Mapping):
        return any(isinstance(value.get(key), str) for key in ("url", "data", "file_id", "file_data"))
    return bool(value)


def _has_token_ids(value: object) -> bool:
    """Return whether a prompt consists of token ids."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            if any(isinstance(item, int | float) for item in node):
                return True
            pending += [item for item in node if isinstance(item, list)]
    return False
