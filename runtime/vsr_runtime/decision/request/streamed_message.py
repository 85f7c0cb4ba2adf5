"""The texts of one streamed message together: reasoning, content and calls are one text for guards, as in documents."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.guards.finders import look_through
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.json_texts import JsonText
from vsr_runtime.decision.guards.message_texts import field_joins
from vsr_runtime.decision.guards.normalise import normalise

EDGE = 4096
"""Characters of the beginning and of the end of a text that are kept."""
_GAP = "\n\n\n"
MAX_TEXTS = 64
"""Texts of a message that are joined, the first ones."""


@dataclass(slots=True)
class _Edges:
    """The beginning and the end of a text."""

    key: str
    head: str = ""
    tail: str = ""

    def add(self, piece: str) -> None:
        """Append a piece."""
        free = EDGE - len(self.head)
        self.head += piece[:free]
        self.tail = (self.tail + piece[free:])[-EDGE:]

    def text(self) -> str:
        """The text, without its middle if it is long."""
        return f"{self.head}{_GAP}{self.tail}" if len(self.tail) == EDGE else self.head + self.tail


class StreamedMessage:
    """The texts of one message, by channel, in the order in which they began."""

    def __init__(self) -> None:
        self._texts: dict[Hashable, _Edges] = {}
        self._changed = False
        self.continued: set[str] = set()

    def add(self, channel: Hashable, key: str, piece: str) -> None:
        """Append a piece to a text. ``key`` is the field that it is in."""
        edges = self._texts.get(channel)
        if edges is None:
            if len(self._texts) >= MAX_TEXTS:
                return
            edges = self._texts[channel] = _Edges(key)
        edges.add(piece)
        self._changed = True

    def before(self, channel: Hashable) -> str:
        """Return the end of what came before a text that has not begun."""
        if channel in self._texts or not self._texts:
            return ""
        return "".join(edges.text() for edges in self._texts.values())[-EDGE:]

    def matching(self, guards: Sequence[Guard], expired: Expired) -> tuple[list[Guard], list[Guard]]:
        """Return the guards that match in the texts together, and those that can no longer mask what they found.

        Raises:
            DeadlineExceededError: the deadline passed first.
        """
        if not self._changed or len(self._texts) == 1:
            return [], []
        self._changed = False
        leaves = [JsonText(edges.text(), 0, "", edges.key) for edges in self._texts.values()]
        joins = list(field_joins(leaves))
        matching: list[Guard] = []
        cut: list[Guard] = []
        for guard in guards:
            if not guard.finders:
                continue
            found = [
                (join, span) for join in joins for span in look_through(guard.finders, normalise(join.text), expired)
            ]
            crossing = [pieces for join, span in found if len(pieces := list(join.across(span))) > 1]
            if guard.action == "mask" and crossing and guard.name not in self.continued:
                own = {
                    id(leaf): look_through(guard.finders, normalise(leaf.value), expired)
                    for pieces in crossing
                    for leaf, _ in pieces
                }
                new = [
                    pieces
                    for pieces in crossing
                    if not any(
                        other.start < part.end and part.start < other.end
                        for leaf, part in pieces
                        for other in own[id(leaf)]
                    )
                ]
                cut += [guard] if new else []
                matching += [guard] if new or len(crossing) < len(found) else []
            elif found:
                matching.append(guard)
        return matching, cut
