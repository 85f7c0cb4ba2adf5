"""The examples of a head that is trained for a task of its own, by label."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span

OTHER = "other"
"""The label of texts without a label: its examples train the head to give none."""

FALSE_ALARMS = 0.01
"""Share of texts without a label that may get one, by default, of a head with one label."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text.

    Attributes:
        text: the text.
        topic: its topic in a shipped set, such as ``injection@3 override``, which texts of several labels may have;
            empty for a text of the policy.
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
