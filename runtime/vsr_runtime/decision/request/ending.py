"""Where a request ends: what of a decision is compared between two policies."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_runtime.decision.request.events import Cause, ImmediateResponse, SendToModel

DEFAULT_ROUTE = "default"
"""The route of requests that no route matched."""
REFUSED = 400
"""The status from which an answer is a refusal."""
BY_LOAD = frozenset({Cause.TIMEOUT, Cause.OVERLOADED, Cause.BROKEN, Cause.FULL, Cause.AUDIT})
"""Causes that say something about the server, and nothing about the policy."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a request ends.

    Attributes:
        model: the model that is asked; empty if none is.
        route: the route that matched; ``default`` if none did, empty if the client named the model.
        answer: the code of the router's own answer; empty if a model is asked.
        status: the status of that answer.
        guards: the guards that matched.
    """

    model: str = ""
    route: str = ""
    answer: str = ""
    status: int = 200
    guards: frozenset[str] = frozenset()

    @property
    def end(self) -> str:
        """The model, or the code of the answer in brackets."""
        return self.model or f"({self.answer})"

    @property
    def words(self) -> str:
        """The model or answer, and the route."""
        return f"{self.end} by {self.route}" if self.route else self.end

    @property
    def blocked(self) -> bool:
        """Whether the client is refused."""
        return self.status >= REFUSED


def ending_of(action: SendToModel | ImmediateResponse, *, chosen: bool | None = None) -> Ending:
    """Return where an action lets a request end.

    Args:
        action: the last action.
        chosen: whether the client let the router choose; None if the action says so.
    """
    guards = frozenset([match.guard for match in action.guards]) if action.guards else frozenset[str]()
    if isinstance(action, ImmediateResponse):
        return Ending("", action.route or "", action.code, action.status, guards)
    if chosen is None:
        chosen = action.signals is not None or action.cause is not None
    moved = any(match.action == "route" for match in action.guards)
    return Ending(action.model, action.route or (DEFAULT_ROUTE if chosen and not moved else ""), guards=guards)


def changes(before: Ending, after: Ending) -> dict[str, bool]:
    """Return what differs between two endings of one request."""
    return {
        "model": before.end != after.end,
        "route": before.route != after.route,
        "guard": before.guards != after.guards,
        "newly-blocked": after.blocked and not before.blocked,
        "unblocked": before.blocked and not after.blocked,
    }
