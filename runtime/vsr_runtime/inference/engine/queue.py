"""What waits, in the order in which it came, and how much of it goes into a batch. No clock, no loop, no threads."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """A sequence of work. ``size`` in tokens stays the same; ``until`` and ``wanted`` may change while it waits."""

    @property
    def size(self) -> int: ...  # noqa: D102 - said by the class
    @property
    def until(self) -> float: ...  # noqa: D102 - said by the class
    @property
    def wanted(self) -> bool: ...  # noqa: D102 - said by the class


Work = TypeVar("Work", bound=Waiting)

MAX_SEQUENCES = 1024
"""Pieces in a batch."""


class TokenQueue(Generic[Work]):
    """First come, first served, by batches of at most ``budget`` tokens.

    Nothing is overtaken: a large sequence at the head ends the batch and begins the next, so nothing starves.

    Args:
        budget: Tokens of a batch. No sequence is larger.
        capacity: Tokens that may wait.
    """

    def __init__(self, budget: int, capacity: int) -> None:
        self.budget = budget
        self._capacity = capacity
        self._queue: deque[Work] = deque()
        self._tokens = 0

    @property
    def tokens(self) -> int:
        """Tokens that wait and that somebody waits for."""
        return self._tokens

    def fits(self, size: int) -> bool:
        """Whether there is capacity for so many tokens more."""
        return self._tokens + size <= self._capacity

    def push(self, work: Work) -> None:
        """Put a sequence at the end.

        Raises:
            ValueError: It is larger than a batch.
        """
        if work.size > self.budget:
            raise ValueError(f"a sequence of {work.size} tokens is larger than a batch of {self.budget}")
        self._queue.append(work)
        self._tokens += work.size

    def abandon(self, work: Work) -> None:
        """Forget a sequence that waits here and that nobody wants any more; its place is free at once."""
        self._tokens -= work.size

    def take(self, now: float) -> tuple[list[Work], list[Work]]:
        """The next batch, and what was dropped on the way because its time is over.

        What is not wanted any more (and was abandoned) is passed over.
        """
        batch: list[Work] = []
        late: list[Work] = []
        size = 0
        while self._queue and len(batch) < MAX_SEQUENCES:
            head = self._queue[0]
            if head.wanted and head.until > now and size + head.size > self.budget:
                break
            self._queue.popleft()
            if not head.wanted:
                continue
            self._tokens -= head.size
            if head.until <= now:
                late.append(head)
            else:
                batch.append(head)
                size += head.size
        return batch, late
