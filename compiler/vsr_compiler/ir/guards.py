"""Guards: checks that apply to every request, and the actions that follow a match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.classifiers import Classifier
from vsr_compiler.ir.models import Model


@dataclass(frozen=True, slots=True)
class Block:
    """Deny the request or replace the response."""

    name: ClassVar[str] = "block"


@dataclass(frozen=True, slots=True)
class Mask:
    """Replace matches by placeholders. With ``unmask``, responses get the original values back."""

    unmask: bool = False
    name: ClassVar[str] = "mask"


@dataclass(frozen=True, slots=True)
class RouteTo:
    """Send the request to this model instead of the routed one."""

    model: Model
    name: ClassVar[str] = "route"


@dataclass(frozen=True, slots=True)
class Flag:
    """Let the request pass and report the match."""

    name: ClassVar[str] = "flag"


GuardAction = Block | Mask | RouteTo | Flag
"""``name`` of each action is its spelling in the policy."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A check that applies to every request, except to requests for the models in ``exempt``.

    ``by_head`` is whether the threshold is that of the detector's head, which is known once the head is trained.
    ``types`` are types of personal data, ``patterns`` regular expressions, ``builtin`` pattern sets of the runtime.
    """

    name: str
    detector: Classifier | None
    types: tuple[str, ...]
    patterns: tuple[str, ...]
    builtin: tuple[str, ...]
    threshold: float
    action: GuardAction
    on: str
    on_error: str
    max_tokens: int
    exempt: tuple[Model, ...]
    unreadable: str
    span: Span
    by_head: bool = False

    @property
    def on_requests(self) -> bool:
        """Whether it checks requests."""
        return self.on in {"request", "both"}

    @property
    def unmask(self) -> bool:
        """Whether responses get masked values back."""
        return isinstance(self.action, Mask) and self.action.unmask

    @property
    def on_responses(self) -> bool:
        """Whether it needs responses, to check them or to restore masked values."""
        return self.on in {"response", "both"} or self.unmask
