"""What a guard reads, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text as finders read it, and where each of its characters came from.

    Attributes:
        text: The normalised text.
        starts: For each character of ``text``, where in the original that begins which became it.
        ends: For each character of ``text``, where in the original that ends.
        hidden: Runs of characters that only hide text: tag characters and bidi overrides. In the original's offsets.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    hidden: Sequence[Span] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The range of the original that became ``text[start:end]``, which is not empty."""
        return self.starts[start], self.ends[end - 1]
