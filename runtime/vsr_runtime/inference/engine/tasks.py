"""Reads texts for an engine: tokens, windows, and their combined results; a backend computes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.inference.engine.interface import TokenLabels
from vsr_runtime.inference.engine.tokenising import Tokenising
from vsr_runtime.inference.task import Task
from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.inference.tokenizer import Tokens

MOST_CHARACTERS = 4 << 20
"""Characters of all texts of a call. More is not even tokenised."""


class Backend(Protocol):
    """Computes sequences: queues in this process, or another process."""

    async def ask(self, task: str, sequences: Sequence[TokenSequence], until: float) -> list[Answer]:
        """Get answers for all sequences, or one error, by ``until``. Raises what ``Engine.classify`` raises."""

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed."""

    @property
    def healthy(self) -> bool:
        """Whether it is running and makes progress."""

    def close(self) -> None:
        """Drop queued work."""


class TaskEngine:
    """An engine over any backend."""

    def __init__(self, tasks: Mapping[str, Task], backend: Backend) -> None:
        self._tasks = dict(tasks)
        self._backend = backend
        threads = {id(task.tokenizer): Tokenising(task.tokenizer) for task in tasks.values()}
        self._tokenising = {name: threads[id(task.tokenizer)] for name, task in tasks.items()}

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed."""
        return self._backend.waiting

    @property
    def healthy(self) -> bool:
        """Whether the backend is running and makes progress."""
        return self._backend.healthy

    async def classify(self, task: str, texts: Sequence[str], until: float) -> list[Mapping[str, float]]:
        """The probability of each label, for each text; see ``Engine``."""
        how = self._tasks[task]
        found = await self._read(how, texts, until)
        cuts = how.cuts(found)
        return how.label_probabilities(await self._backend.ask(task, how.sequences(found, cuts), until), cuts)

    async def label_tokens(self, task: str, texts: Sequence[str], until: float) -> list[TokenLabels]:
        """The probability of each label, for each token of each text; see ``Engine``."""
        how = self._tasks[task]
        found = await self._read(how, texts, until)
        cuts = how.cuts(found)
        return how.token_labels(
            await self._backend.ask(task, how.sequences(found, cuts, frozenset({task})), until), found, cuts
        )

    def close(self) -> None:
        """Reject new work and drop queued work."""
        for tokenising in self._tokenising.values():
            tokenising.close()
        self._backend.close()

    async def _read(self, how: Task, texts: Sequence[str], until: float) -> list[Tokens]:
        if sum(map(len, texts)) > MOST_CHARACTERS and how.windows.whole:
            raise OverloadedError
        if until <= asyncio.get_running_loop().time():
            raise TimeoutError
        read, size = self._tokenising[how.name], how.windows.size
        if how.windows.whole:
            return await read(texts, None, until)
        if all(len(text) <= size for text in texts):  # most tokens have several characters
            found = await read(texts, None, until)  # as for tasks with windows, so that each text is read once for all
            if all(len(tokens.ids) <= size for tokens in found):
                return found
        return await read(texts, size, until)
