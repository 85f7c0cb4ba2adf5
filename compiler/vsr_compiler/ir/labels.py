"""The examples of a head that is trained for a task of its own, by label."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span

OTHER = "other"
"""The label of texts without a label: its examples train the head to give none."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text.

    Attributes:
        text: the text.
        topic: its topic in a shipped set; empty for a text of the policy.
        span: where the policy names it.
    """

    text: str
    topic: str
    span: Span


@dataclass(frozen=True, slots=True)
class LabelExamples:
    """The examples of a label."""

    label: str
    examples: tuple[Example, ...]
    span: Span
