"""The sequence numbers of streamed events, which stay unique and ascending if events are added."""

from __future__ import annotations

from typing import Any

FIELD = "sequence_number"


class SequenceNumbers:
    """The numbers that one stream has used. Clients order and resume events of the responses API by them."""

    def __init__(self) -> None:
        self._shift = 0
        self._last: int | None = None

    def assign(self, values: Any, *, added: bool = False) -> bool:  # noqa: ANN401 - any JSON document
        """Give an event the next number. Return whether it changed.

        Events keep the server's numbers, moved by the number of events that were added before.

        Args:
            values: the event, which is changed. One without a number gets none, unless it was added to such events.
            added: whether the event is not the server's.
        """
        if not isinstance(values, dict):
            return False
        number = values.get(FIELD)
        if added and self._last is not None:
            assigned = self._last + 1
            self._shift += 1
        elif isinstance(number, int) and not isinstance(number, bool):
            assigned = number + self._shift
            if self._last is not None and assigned <= self._last:
                assigned = self._last + 1
        else:
            return False
        self._last = values[FIELD] = assigned
        return assigned != number
