"""What detectors saw in a text, before a guard has said what counts for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vsr_runtime.decision.guards.text import Span


class Seen(Protocol):
    """What a detector saw in one text; several guards may ask it different things."""

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[Span]:
        """The findings that count, in the offsets of the text that the detector read.

        Args:
            types: those that are looked for; None for all that the detector knows.
            threshold: the least probability.
        """


@dataclass(frozen=True, slots=True)
class Judged:
    """A text that was judged as a whole: what it most likely is, of what the policy speaks of."""

    span: Span

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[Span]:
        """The whole text, where it is likely enough. What the policy speaks of was decided when it was judged."""
        del types
        return [self.span] if self.span.score >= threshold else []


def likeliest(answer: Mapping[str, float], labels: Sequence[str], text: str, name: str) -> Judged:
    """The label of the policy's that is likeliest, over the whole of a text.

    Args:
        answer: each label's probability.
        labels: those that count.
        text: what was read.
        name: the detector's.
    """
    best = max(labels, key=lambda label: answer[label])
    return Judged(Span(0, len(text), best, answer[best], name))
