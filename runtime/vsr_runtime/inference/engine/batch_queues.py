"""The backend that computes in this process: a lane for each encoder, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsr_runtime.inference.engine.batch_queue import STALLED, Lane
from vsr_runtime.inference.token_sequence import Answer, BatchModel, Piece

ROOM = 64
"""Batches whose tokens may wait."""


@dataclass(frozen=True)
class LoadedLane:
    """A model, the tasks that it has heads for, the tokens of its batches, and those of its longest piece."""

    model: BatchModel[Any]
    tasks: tuple[str, ...]
    budget: int
    longest: int


class Lanes:
    """A lane for each model. Must be made where an event loop runs."""

    def __init__(self, models: Sequence[LoadedLane], *, stalled: float = STALLED) -> None:
        self._lanes = [
            (loaded, Lane(loaded.model, loaded.budget, loaded.budget * ROOM, stalled=stalled)) for loaded in models
        ]
        self._of_task = {task: lane for loaded, lane in self._lanes for task in loaded.tasks}

    @property
    def waiting(self) -> int:
        """Tokens that wait or are computed, in the fullest lane."""
        return max((lane.waiting for _, lane in self._lanes), default=0)

    @property
    def healthy(self) -> bool:
        """Whether all lanes are."""
        return all(lane.healthy for _, lane in self._lanes)

    async def ask(self, task: str, pieces: Sequence[Piece], until: float) -> list[Answer]:
        """Ask a task's lane; see ``Lane.ask``."""
        return await self._of_task[task].ask(pieces, until)

    async def warm(self) -> None:
        """Compute a small batch, a middling and a full one in every lane.

        Raises:
            EngineError: a model fails.
        """
        for loaded, lane in self._lanes:
            await lane.warm((16, 16, loaded.budget // 4, loaded.budget), loaded.longest)

    def close(self) -> None:
        """Close all lanes."""
        for _, lane in self._lanes:
            lane.close()
