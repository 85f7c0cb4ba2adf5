"""What SIGTERM does: it asks a process to stop, and bounds the time that this takes."""

from __future__ import annotations

import asyncio
import signal


def begin_stop(stop: asyncio.Event, seconds: float) -> None:
    """Set an event; the kernel ends the process if it has not ended after so many seconds, whatever then holds it."""
    if not stop.is_set():
        stop.set()
        signal.setitimer(signal.ITIMER_REAL, seconds)
