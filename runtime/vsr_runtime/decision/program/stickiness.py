"""How a conversation leaves a route: at once, if a new ask wins clearly enough, or only for a higher model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class RouteStickiness:
    """How a conversation leaves a route. ``margin`` is a difference of probabilities."""

    mode: Literal["conversation", "escalate", "none"]
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Stickiness:
    """How the requests of a conversation stay with a model.

    Attributes:
        default: for routes without their own, and for the default model.
        routes: that of single routes, by name.
        ranks: place of each model in the order of an escalation, the lowest first.
        discounts: share of the prompt's price that a model saves on tokens in its prefix cache.
        key_header: header that identifies a conversation.
        key: attribute of the client by which splits are drawn instead.
        state_header: header that names the model which keeps the state of a request.
    """

    default: RouteStickiness
    routes: Mapping[str, RouteStickiness] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)
    discounts: Mapping[str, float] = field(default_factory=dict)
    key_header: str | None = None
    state_header: str | None = None
    key: str | None = None
    follows: bool = field(init=False, repr=False, compare=False)
    """Whether a turn can depend on those before it."""
    escalates: bool = field(init=False, repr=False, compare=False)
    """Whether a conversation on some route may only move up."""
    releases: bool = field(init=False, repr=False, compare=False)
    """Whether a conversation on some route does not stay there for a turn that only continues."""
    remembers: bool = field(init=False, repr=False, compare=False)
    """Whether the route of a new ask can depend on that of the ask before it."""

    def __post_init__(self) -> None:
        every = (self.default, *self.routes.values())
        escalates = any(one.mode == "escalate" for one in every)
        object.__setattr__(self, "follows", any(one.mode != "none" for one in every))
        object.__setattr__(self, "escalates", escalates)
        object.__setattr__(self, "releases", any(one.mode == "none" for one in every))
        remembers = escalates or any(one.mode != self.default.mode or one.margin for one in every)
        object.__setattr__(self, "remembers", remembers)

    def of(self, route: str | None) -> RouteStickiness:
        """Return how a conversation leaves a route; None stands for the default model."""
        return self.default if route is None else self.routes.get(route, self.default)
