"""The conversation signal: how many messages, tools, tool calls or images a request has.

Source of the stock router's meaning: ``pkg/classification/classifier_signal_conversation.go`` at 3d48f8c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.signals.base import Bounds, bounds_of
from vsr_runtime.decision.signals.score import Score
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract

_SOMEBODY_ELSE = ("assistant", "system", "tool")


@dataclass(frozen=True, slots=True)
class ConversationSignal:
    """Holds if the number of parts of a kind is within bounds. ``role`` selects messages; None counts all.

    With ``exists`` the number is 1 if there is a part of this kind, else 0.
    """

    of: str
    role: str | None
    bounds: Bounds
    exists: bool = False
    cost: int = 0
    work: int = 0

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - takes constant time
        """Return whether the request has the signal."""
        return self._number(view) in self.bounds

    def score(self, view: RequestView, expired: Expired) -> Score:
        """Return the number. A count is certain."""
        holds = self.holds(view, expired)
        return Score(holds, float(self._number(view)), 1.0 if holds else 0.0)

    def _number(self, view: RequestView) -> int:
        number = self._parts(view)
        return min(number, 1) if self.exists else number

    def _parts(self, view: RequestView) -> int:
        count = _COUNTS.get(self.of)
        if count is not None:
            return count(view)
        if self.role == "non_user":
            # The stock router knows only whether there is a message of the developer.
            return sum(map(view.roles.count, _SOMEBODY_ELSE)) + ("developer" in view.roles)
        return len(view.roles) if self.role is None else view.roles.count(self.role)


def _in_tool_loop(view: RequestView) -> bool:
    """Return whether the last message is the result of a tool or follows one, or a call has no result yet."""
    last = view.roles[-2:]
    return last[-1:] == ("tool",) or last == ("tool", "user") or view.tool_calls > view.roles.count("tool")


_COUNTS: Mapping[str, Callable[[RequestView], int]] = {
    "tool_definition": lambda view: view.tools,
    "assistant_tool_call": lambda view: view.tool_calls,
    "assistant_tool_cycle": lambda view: view.roles.count("tool"),
    "active_tool_loop": lambda view: int(_in_tool_loop(view)),
    "image_content": lambda view: view.images,
}
"""How many parts of a kind other than messages a request has."""


def build_conversation(rule: contract.ConversationRule) -> ConversationSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: its bounds are invalid, or a role is given for parts that have no role.
    """
    source = rule.feature.source
    if source.role is not None and source.type != "message":
        raise ValueError(f"a role narrows messages, and {source.type} is counted")
    if rule.feature.type == "exists":
        if rule.predicate is not None:
            raise ValueError("a feature of type exists has no predicate; it holds if there is one")
        return ConversationSignal(source.type, source.role, Bounds(0, open_low=True), exists=True)
    bounds = Bounds() if rule.predicate is None else bounds_of(rule.predicate)
    return ConversationSignal(source.type, source.role, bounds)
