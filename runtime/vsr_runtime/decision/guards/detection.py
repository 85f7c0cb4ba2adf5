"""Findings in texts: spans, the results of detectors, and spans from token labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

OUTSIDE_LABELS = frozenset({"O", "OUTSIDE", "NONE", "LABEL_0"})
_SCHEME = re.compile(r"([BIESLU])[-_](.+)")
_BEGINS, _ENDS = frozenset("BSU"), frozenset("ESLU")


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A finding in a text.

    Attributes:
        start: index of its first character in the original text.
        end: index after its last character.
        type: a type of personal data as spelled in ``vsr_schemas.pii``, or the kind of a credential or attack.
        score: from 0 to 1. Patterns score 1 if a checksum is valid, 0.9 for a distinctive form, and 0.75 for a weaker
            form with supporting context; models give their probability.
        rule: the recogniser or model that found it.
    """

    start: int
    end: int
    type: str
    score: float
    rule: str


class Detection(Protocol):
    """The result of a detector for one text. Guards with different types and thresholds share it."""

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[TextSpan]:
        """Return the findings that count, in offsets of the text that the detector read.

        Args:
            types: the types that count; None for all.
            threshold: the minimum probability.
        """


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """A classification of a text as a whole: its most likely label among those that count."""

    span: TextSpan

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[TextSpan]:
        """Return the whole text if its score reaches the threshold. The types were applied at classification."""
        del types
        return [self.span] if self.span.score >= threshold else []


def most_likely(answer: Mapping[str, float], labels: Sequence[str], text: str, name: str) -> TextVerdict:
    """Return the verdict with the most likely of the labels that count.

    Args:
        answer: probability of each label.
        labels: the labels that count.
        text: the text that was read.
        name: the detector's name.
    """
    best = max(labels, key=lambda label: answer[label])
    return TextVerdict(TextSpan(0, len(text), best, answer[best], name))


@dataclass(frozen=True, slots=True)
class LabelledToken:
    """A token with the label that a model gives it.

    Attributes:
        start: index of its first character in the text that the model read.
        end: index after its last character; equal to ``start`` for special tokens, which are ignored.
        label: the most likely label.
        score: the label's probability.
    """

    start: int
    end: int
    label: str
    score: float


def spans_of_tokens(
    tokens: Sequence[LabelledToken], rule: str, types: Mapping[str, str] | None = None
) -> list[TextSpan]:
    """Return the spans that labelled tokens form, in the offsets of the tokens.

    Supports BIO labels (``B-PERSON``, ``I-PERSON``, ``O``), BIOES labels (also with ``L-`` and ``U-``), and plain
    labels. Models violate their scheme: an ``I-`` without a predecessor begins a span, and a change of type ends one,
    so no label is dropped. Adjacent tokens form one word and stay together even if the model begins a new span within
    it.

    Args:
        tokens: the tokens in order. A gap between two tokens of a span belongs to the span.
        rule: the model's name, for logs.
        types: our name by the model's name of a type; other types keep their name.

    Returns:
        Spans that have the highest score of their tokens: a doubtful token must not hide a certain one.
    """
    return [_span(run, rule, types or {}) for run in _runs(tokens)]


def _runs(tokens: Sequence[LabelledToken]) -> Iterator[list[tuple[LabelledToken, str]]]:
    run: list[tuple[LabelledToken, str]] = []
    closed = False
    for token in tokens:
        if token.end <= token.start:
            continue
        position, kind = split_label(token.label)
        if run and (kind != run[-1][1] or ((closed or position in _BEGINS) and token.start > run[-1][0].end)):
            yield run
            run = []
        if kind is not None:
            run.append((token, kind))
        closed = position in _ENDS
    if run:
        yield run


def split_label(label: str) -> tuple[str, str | None]:
    """Split a label into its position in the span and its type. The type is None outside of spans."""
    if label.upper() in OUTSIDE_LABELS:
        return "O", None
    match = _SCHEME.fullmatch(label)
    return (match[1], match[2]) if match else ("I", label)


def _span(run: Sequence[tuple[LabelledToken, str]], rule: str, types: Mapping[str, str]) -> TextSpan:
    kind = run[0][1]
    score = max(token.score for token, _ in run)
    return TextSpan(run[0][0].start, run[-1][0].end, types.get(kind, kind), score, rule)
