"""A request as a transcript: who contributed which texts, in order, whatever the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from vsr_runtime.decision.fast_dataclass import fast_dataclass

Role = Literal["person", "assistant", "tool", "system"]
ROLES: Mapping[str, Role] = {
    "user": "person",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
    "system": "system",
    "developer": "system",
}
"""The roles of the APIs. A message of another role is nobody's ask and counts as ``system``."""
TEXT_KINDS = frozenset({"text", "input_text", "output_text", "refusal"})
"""The types of content parts that carry text."""


@fast_dataclass(frozen=True, slots=True)
class Entry:
    """A message, or what a tool returned.

    Attributes:
        role: who contributed it; ``person`` is the API's role ``user``, which harnesses use, too.
        texts: the text of each part that has one.
        calls: number of tool calls in it.
        index: position in the request's list of messages or items; -1 for instructions outside that list.
        kinds: types of all parts, in order.
    """

    role: Role
    texts: tuple[str, ...]
    calls: int = 0
    index: int = -1
    kinds: tuple[str, ...] = ()

    def part(self, number: int) -> int:
        """Return the position of a text among all parts of the message."""
        places = [place for place, kind in enumerate(self.kinds) if kind in TEXT_KINDS]
        return places[number] if number < len(places) else number


def role_of(name: str) -> Role:
    """Return the role for the name that an API uses."""
    return ROLES.get(name, "system")
