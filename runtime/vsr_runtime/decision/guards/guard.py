"""A guard made ready: what it looks for, where, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from vsr_runtime.decision.guards.clean_text_cache import Harmless
from vsr_runtime.decision.guards.text import Normalised, Span
from vsr_runtime.decision.view import Expired

Finder = Callable[[Normalised, Expired], list[Span]]
Deed = Literal["block", "mask", "route", "flag"]
ORDER: tuple[Deed, ...] = ("block", "route", "mask", "flag")
"""What comes first. What is blocked is neither routed nor masked; what is masked goes to the model that was chosen."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Attributes:
        name: the policy's name for it.
        action: what follows from a finding.
        finders: what look at a normalised text.
        detector: the model that looks at it, by its name in the settings.
        threshold: the least score of what the detector finds; what patterns find counts.
        types: what of the detector's findings counts; None for all of them.
        target: where ``route`` sends a request.
        on_request: whether it reads requests.
        on_response: whether it reads responses.
        max_tokens: the longest text that it reads, by the estimate of four bytes a token.
        passes_errors: whether text passes that could not be looked at.
        passes_unreadable: whether what is no text passes.
        unmask: whether responses get back what was masked.
        exempt: the models at which it does not hold.
        harmless: texts in which its finders found nothing.
    """

    name: str
    action: Deed
    finders: tuple[Finder, ...] = ()
    detector: str | None = None
    threshold: float = 0.7
    types: frozenset[str] | None = None
    target: str | None = None
    on_request: bool = True
    on_response: bool = False
    max_tokens: int = 8192
    passes_errors: bool = False
    passes_unreadable: bool = False
    unmask: bool = False
    exempt: frozenset[str] = frozenset()
    harmless: Harmless = field(default_factory=Harmless, compare=False, repr=False)

    def covers(self, model: str | None) -> bool:
        """Whether it holds for what ends at a model; None is an answer that no model gives."""
        return model not in self.exempt

    @property
    def label(self) -> str:
        """The name as a header can carry it."""
        return quote(self.name, safe=" !#$&'()*+/:;<=>?@[]^`{|}")


def ordered(guards: Sequence[Guard]) -> tuple[Guard, ...]:
    """The guards as they act: by action, then by name."""
    return tuple(sorted(guards, key=lambda guard: (ORDER.index(guard.action), guard.name)))
