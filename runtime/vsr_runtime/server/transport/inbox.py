"""What a connection has received, taken in turns, so that one that sends much does not keep others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SLICE = 8 << 10
"""Bytes that are taken before the loop turns to what they caused: answers to the first of many streams leave while the
last are still read, so that the gateway has something to do meanwhile."""
_LARGEST = 128 << 10
"""Bytes that are taken at most in a turn, of something that causes nothing yet."""
_FULL = 128 << 10
"""Bytes that wait for their turn, from which no more are read."""


class Inbox:
    """Bytes that wait, and whether more are read.

    Args:
        transport: where they come from.
        take: takes some.
        turned: is called at the end of each turn.

    Attributes:
        stirred: to be set where something was caused that others should not wait for.
        paused: whether nothing is taken.
    """

    def __init__(self, transport: asyncio.Transport, take: Callable[[bytes], None], turned: Callable[[], None]) -> None:
        self.stirred = self.paused = False
        self._transport, self._take, self._turned = transport, take, turned
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._turning = self._held = False

    def put(self, data: bytes) -> None:
        """Take what came, or let it wait."""
        if not (self._waiting or self.paused) and len(data) <= SLICE:
            self._take(data)
            self._turned()
            return
        self._waiting += data
        if len(self._waiting) > _FULL:
            self._hold()
        if not self._turning:
            self._turn()

    def pause(self) -> None:
        """Take and read no more."""
        self.paused = True
        self._hold()

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        if not self._turning:
            self._turn()

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def _hold(self) -> None:
        if not (self._held or self._transport.is_closing()):
            self._held = True
            self._transport.pause_reading()

    def _turn(self) -> None:
        self._turning = False
        if self.paused:
            return
        self.stirred, size = False, SLICE
        while self._waiting and not self.stirred and size < _LARGEST:
            data = bytes(memoryview(self._waiting)[:size])
            del self._waiting[:size]
            self._take(data)
            size *= 2  # what wakes nobody is a part of something large
        self._turned()
        if self._waiting:
            self._turning = True
            self._loop.call_soon(self._turn)
        elif self._held and not self._transport.is_closing():
            self._held = False
            self._transport.resume_reading()
