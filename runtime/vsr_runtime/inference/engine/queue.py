"""The queue of waiting entries, in order of arrival, and the selection of batches. No clock, no loop, no threads."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar


class Entry(Protocol):
    """A queued entry. ``size`` in tokens is constant; ``until`` and ``wanted`` may change while it is queued."""

    @property
    def size(self) -> int: ...  # noqa: D102 - see the class
    @property
    def until(self) -> float: ...  # noqa: D102 - see the class
    @property
    def wanted(self) -> bool: ...  # noqa: D102 - see the class


EntryT = TypeVar("EntryT", bound=Entry)

MAX_SEQUENCES = 1024
"""Sequences in a batch at most."""


class TokenQueue(Generic[EntryT]):
    """First come, first served, in batches of at most ``budget`` tokens.

    Nothing is overtaken: a large entry at the head ends the batch and begins the next, so none starves.

    Args:
        budget: Tokens of a batch. No entry is larger.
        capacity: Tokens that may be queued.
    """

    def __init__(self, budget: int, capacity: int) -> None:
        self.budget = budget
        self._capacity = capacity
        self._queue: deque[EntryT] = deque()
        self._tokens = 0

    @property
    def tokens(self) -> int:
        """Queued tokens that a caller still waits for."""
        return self._tokens

    def fits(self, size: int) -> bool:
        """Whether there is capacity for this number of tokens."""
        return self._tokens + size <= self._capacity

    def push(self, entry: EntryT) -> None:
        """Append an entry.

        Raises:
            ValueError: It is larger than a batch.
        """
        if entry.size > self.budget:
            raise ValueError(f"a sequence of {entry.size} tokens is larger than a batch of {self.budget}")
        self._queue.append(entry)
        self._tokens += entry.size

    def abandon(self, entry: EntryT) -> None:
        """Discount a queued entry that no caller waits for any more; its capacity is free at once."""
        self._tokens -= entry.size

    def take(self, now: float) -> tuple[list[EntryT], list[EntryT]]:
        """The next batch, and the entries that were dropped because their deadline has passed.

        Abandoned entries are skipped.
        """
        batch: list[EntryT] = []
        late: list[EntryT] = []
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
