"""Conversation signals: how many parts of a kind the whole conversation has."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_runtime.decision.signals.base import Bounds
from vsr_runtime.decision.signals.predicate import bounds_of
from vsr_runtime.decision.view import Expired, View
from vsr_schemas.routerconfig import v0_4_0 as contract


@dataclass(frozen=True, slots=True)
class Conversation:
    """Holds where the number of parts lies within bounds. ``role`` narrows messages; None counts all."""

    of: str
    role: str | None
    bounds: Bounds
    cost: int = 0
    work: int = 0

    def holds(self, view: View, expired: Expired) -> bool:  # noqa: ARG002 - at once
        """Whether the request has it."""
        return self._number(view) in self.bounds

    def _number(self, view: View) -> int:
        match self.of:
            case "tool_definition":
                return view.tools
            case "assistant_tool_call":
                return view.tool_calls
            case "image_content":
                return view.images
        return len(view.roles) if self.role is None else view.roles.count(self.role)


def build_conversation(rule: contract.ConversationRule) -> Conversation:
    """The signal of a config's rule.

    Raises:
        ValueError: its bounds cannot be used, or a role is given for what has none.
    """
    source = rule.feature.source
    if source.role is not None and source.type != "message":
        raise ValueError(f"a role narrows messages, and {source.type} is counted")
    return Conversation(source.type, source.role, bounds_of(rule.predicate))
