"""What a guard reads, and what it finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was found in a text.

    Attributes:
        start: Its first character, counted in the original text.
        end: The character after its last one.
        type: A type of personal data as ``vsr_schemas.pii`` spells it, or the kind of a credential or of an attack.
        score: From 0 to 1. Patterns have 1 where a checksum holds, 0.9 for a shape that nothing else has, and 0.75 for
            a weaker one whose context speaks for it; a model has its probability.
        rule: Which recogniser or model found it.
    """

    start: int
    end: int
    type: str
    score: float
    rule: str


class Detection(Protocol):
    """What a detector saw in one text; several guards may ask it different things."""

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[Span]:
        """The findings that count, in the offsets of the text that the detector read.

        Args:
            types: those that are looked for; None for all that the detector knows.
            threshold: the least probability.
        """


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """A text that was judged as a whole: what it most likely is, of what the policy speaks of."""

    span: Span

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[Span]:
        """The whole text, where it is likely enough. What the policy speaks of was decided when it was judged."""
        del types
        return [self.span] if self.span.score >= threshold else []


def most_likely(answer: Mapping[str, float], labels: Sequence[str], text: str, name: str) -> TextVerdict:
    """The label of the policy's that is likeliest, over the whole of a text.

    Args:
        answer: each label's probability.
        labels: those that count.
        text: what was read.
        name: the detector's.
    """
    best = max(labels, key=lambda label: answer[label])
    return TextVerdict(Span(0, len(text), best, answer[best], name))


OUTSIDE_LABELS = frozenset({"O", "OUTSIDE", "NONE", "LABEL_0"})
_SCHEME = re.compile(r"([BIESLU])[-_](.+)")
_BEGINS, _ENDS = frozenset("BSU"), frozenset("ESLU")


@dataclass(frozen=True, slots=True)
class LabelledToken:
    """What a model says of one token.

    Attributes:
        start: Its first character in the text that the model was given.
        end: The character after its last one; equal to ``start`` for special tokens, which are passed over.
        label: The likeliest label.
        score: Its probability.
    """

    start: int
    end: int
    label: str
    score: float


def spans_of_tokens(tokens: Sequence[LabelledToken], rule: str, types: Mapping[str, str] | None = None) -> list[Span]:
    """The spans that labelled tokens make up, in the offsets of the tokens.

    Args:
        tokens: In order; their gaps (the space between two words) belong to a span that spans both.
        rule: The model's name, for logs.
        types: From the model's names of types to ours; those that it lacks keep their name.

    Returns:
        Spans whose score is the highest of their tokens': a doubtful neighbour must not hide a sure finding.
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
    """The place in the span and the type; no type outside of spans, and no place where there is no scheme."""
    if label.upper() in OUTSIDE_LABELS:
        return "O", None
    match = _SCHEME.fullmatch(label)
    return (match[1], match[2]) if match else ("I", label)


def _span(run: Sequence[tuple[LabelledToken, str]], rule: str, types: Mapping[str, str]) -> Span:
    kind = run[0][1]
    score = max(token.score for token, _ in run)
    return Span(run[0][0].start, run[-1][0].end, types.get(kind, kind), score, rule)
