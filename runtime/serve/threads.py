"""How the threads of gRPC are scheduled beside the one that does the work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def unhurried() -> Iterator[None]:
    """Threads that begin in this block interrupt nobody when they have something to do; they wait for their turn.

    A thread of gRPC's hands its events to the event loop's, some ten for a request. By Linux' normal policy it is woken
    for each and takes the core from the event loop, whose caches are cold then; by ``SCHED_BATCH`` it comes when the
    loop waits, and hands over several at once. That saves a quarter of the CPU. Where a policy was chosen for the
    process, or none can be, nothing is done.
    """
    if not hasattr(os, "sched_setscheduler") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    with suppress(OSError):  # a sandbox may forbid it
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
