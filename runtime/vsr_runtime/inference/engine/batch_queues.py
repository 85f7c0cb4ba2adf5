"""The backend that computes in this process: a queue for each encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsr_runtime.inference.engine.batch_queue import STALLED, BatchQueue
from vsr_runtime.inference.token_sequence import Answer, BatchModel, TokenSequence

CAPACITY = 64
"""Batches whose tokens may be queued."""


@dataclass(frozen=True)
class LoadedModel:
    """A model, the tasks that it has heads for, the tokens of its batches, and those of its longest sequence."""

    model: BatchModel[Any]
    tasks: tuple[str, ...]
    budget: int
    longest: int


class BatchQueues:
    """A queue for each model. Must be created in a running event loop."""

    def __init__(self, models: Sequence[LoadedModel], *, stalled: float = STALLED) -> None:
        self._queues = [
            (loaded, BatchQueue(loaded.model, loaded.budget, loaded.budget * CAPACITY, stalled=stalled))
            for loaded in models
        ]
        self._of_task = {task: queue for loaded, queue in self._queues for task in loaded.tasks}

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed, in the fullest queue."""
        return max((queue.waiting for _, queue in self._queues), default=0)

    @property
    def healthy(self) -> bool:
        """Whether all queues are healthy."""
        return all(queue.healthy for _, queue in self._queues)

    async def ask(self, task: str, sequences: Sequence[TokenSequence], until: float) -> list[Answer]:
        """Ask a task's queue; see ``BatchQueue.ask``."""
        return await self._of_task[task].ask(sequences, until)

    async def warm(self) -> None:
        """Compute a small, a medium and a full batch in every queue.

        Raises:
            EngineError: a model fails.
        """
        for loaded, queue in self._queues:
            await queue.warm((16, 16, loaded.budget // 4, loaded.budget), loaded.longest)

    def close(self) -> None:
        """Close all queues."""
        for _, queue in self._queues:
            queue.close()
