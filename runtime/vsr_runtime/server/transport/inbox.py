"""Received bytes of a connection, processed in slices, so that a busy connection does not delay the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SLICE = 8 << 10
"""Bytes to process before handlers run. Answers to the first of many streams are then sent while the last ones are
still being received, so the gateway does not wait."""
_MAX_SLICE = 128 << 10
"""Bytes to process at most in a turn in which no handler becomes ready."""
_MAX_WAITING = 128 << 10
"""Unprocessed bytes above which nothing more is read from the socket."""


class Inbox:
    """Unprocessed bytes, and whether more are read.

    Args:
        transport: where they come from.
        take: processes some.
        turned: called at the end of each turn.

    Attributes:
        handlers_ready: set to end the turn because a handler got something to do.
        paused: whether nothing is processed.
    """

    def __init__(self, transport: asyncio.Transport, take: Callable[[bytes], None], turned: Callable[[], None]) -> None:
        self.handlers_ready = self.paused = False
        self._transport, self._take, self._turned = transport, take, turned
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._scheduled = self._held = False

    def put(self, data: bytes) -> None:
        """Process received bytes, or queue them."""
        if not (self._waiting or self.paused) and len(data) <= SLICE:
            self._take(data)
            self._turned()
            return
        self._waiting += data
        if len(self._waiting) > _MAX_WAITING:
            self._hold()
        if not self._scheduled:
            self._turn()

    def pause(self) -> None:
        """Stop processing and reading."""
        self.paused = True
        self._hold()

    def resume(self) -> None:
        """Process and read again."""
        self.paused = False
        if not self._scheduled:
            self._turn()

    def clear(self) -> None:
        """Drop queued bytes."""
        self._waiting.clear()

    def _hold(self) -> None:
        if not (self._held or self._transport.is_closing()):
            self._held = True
            self._transport.pause_reading()

    def _turn(self) -> None:
        self._scheduled = False
        if self.paused:
            return
        self.handlers_ready, size = False, SLICE
        while self._waiting and not self.handlers_ready and size < _MAX_SLICE:
            data = bytes(memoryview(self._waiting)[:size])
            del self._waiting[:size]
            self._take(data)
            size *= 2  # no handler became ready, so this is part of something large
        self._turned()
        if self._waiting:
            self._scheduled = True
            self._loop.call_soon(self._turn)
        elif self._held and not self._transport.is_closing():
            self._held = False
            self._transport.resume_reading()
