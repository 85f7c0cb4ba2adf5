"""How the requests of a conversation stay with a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.models import Model

StickinessMode = Literal["conversation", "escalate", "none"]


@dataclass(frozen=True, slots=True)
class RouteStickiness:
    """How a conversation leaves a route. ``margin`` is a difference of probabilities."""

    mode: StickinessMode
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Stickiness:
    """The policy's stickiness, which applies to routes without their own.

    ``order`` are the models from the lowest to the highest. ``key_header`` identifies a conversation, ``state_header``
    names the model that keeps the state of a request. ``key`` is the attribute of the client by which splits are drawn
    instead. ``written`` is whether the policy has the section.
    """

    span: Span
    default: RouteStickiness = RouteStickiness("conversation")
    order: tuple[Model, ...] = ()
    key_header: str | None = None
    state_header: str | None = None
    written: bool = False
    key: Literal["user", "team", "tenant"] | None = None
