"""Work that waits for a thread: clients take turns, so that what one of them sends delays its own work, not others'."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any


@dataclass(slots=True, eq=False)
class Work:
    """A function, what it is for, and its result."""

    client: bytes
    units: int
    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class FairQueue:
    """The work that waits, by client. Not for several threads at a time.

    Args:
        most: work of one client that may run at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[bytes, deque[Work]] = OrderedDict()
        self._running: Counter[bytes] = Counter()

    def push(self, work: Work) -> None:
        """Add work behind its client's."""
        self._waiting.setdefault(work.client, deque()).append(work)

    def pop(self) -> Work | None:
        """Take the next work of the client whose turn it is. None if nothing may run now.

        Its client has its next turn after all others. `end` says when it is done.
        """
        client = next((one for one in self._waiting if self._running[one] < self._most), None)
        if client is None:
            return None
        queue = self._waiting.pop(client)
        work = queue.popleft()
        if queue:
            self._waiting[client] = queue
        self._running[client] += 1
        return work

    def end(self, work: Work) -> None:
        """Count work as done."""
        self._running[work.client] -= 1
        if not self._running[work.client]:
            del self._running[work.client]

    def remove(self, work: Work) -> None:
        """Forget work that nobody waits for, if it still waits."""
        queue = self._waiting.get(work.client)
        if queue and work in queue:
            queue.remove(work)
            if not queue:
                del self._waiting[work.client]

    def clear(self) -> list[Work]:
        """Forget all that waits, and return it."""
        waiting = [work for queue in self._waiting.values() for work in queue]
        self._waiting.clear()
        return waiting

    def ahead(self, client: bytes) -> int:
        """Units that have their turn before the next work that this client adds."""
        turns = len(self._waiting.get(client, ())) + 1
        return sum(work.units for queue in self._waiting.values() for work in islice(queue, turns))
