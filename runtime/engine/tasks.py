"""Reads texts for an engine: tokens, windows, and what the windows say together; a backend computes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.engine.errors import OverloadedError
from runtime.engine.interface import TokenLabels
from runtime.engine.tokenising import Tokenising
from runtime.inference.pieces import Answer, Piece
from runtime.inference.text_tokens import TextTokenizer, Tokens
from runtime.inference.windows import Aggregate, Windows, stitched, together

MOST_CHARACTERS = 4 << 20
"""Of all texts of a call. More is not even tokenised."""


@dataclass(frozen=True)
class Task:
    """How texts are read for one classifier.

    Attributes:
        name: Its name in ``runtime.yaml``.
        labels: In the order of its outputs.
        tokenizer: Of its checkpoint.
        windows: How long texts are read.
        aggregate: How several windows become one answer.
    """

    name: str
    labels: tuple[str, ...]
    tokenizer: TextTokenizer
    windows: Windows
    aggregate: Aggregate


class Backend(Protocol):
    """Computes pieces: lanes in this process, or another process."""

    async def ask(self, task: str, pieces: Sequence[Piece], until: float) -> list[Answer]:
        """Answers for all pieces, or one error for all, by ``until``. Raises what ``Engine.classify`` raises."""

    @property
    def waiting(self) -> int:
        """Tokens that wait or are computed."""

    @property
    def healthy(self) -> bool:
        """Whether it is there and gets on with its work."""

    def close(self) -> None:
        """Let go of what waits."""


class TaskEngine:
    """An engine over any backend."""

    def __init__(self, tasks: Mapping[str, Task], backend: Backend) -> None:
        self._tasks = dict(tasks)
        self._backend = backend
        self._tokenising = {name: Tokenising(task.tokenizer) for name, task in tasks.items()}

    @property
    def waiting(self) -> int:
        """Tokens that wait or are computed."""
        return self._backend.waiting

    @property
    def healthy(self) -> bool:
        """Whether the backend is there and gets on with its work."""
        return self._backend.healthy

    async def classify(self, task: str, texts: Sequence[str], until: float) -> list[Mapping[str, float]]:
        """Each label's probability, for each text; see ``Engine``."""
        how = self._tasks[task]
        found = await self._read(how, texts, until)
        cuts = [how.windows.cut(len(tokens.ids)) for tokens in found]
        pieces = [
            Piece(how.tokenizer.framed(tokens.ids[begin:end]))
            for tokens, own in zip(found, cuts, strict=True)
            for begin, end in own
        ]
        answers = iter(await self._backend.ask(task, pieces, until))
        said: list[Mapping[str, float]] = []
        for own in cuts:
            rows = [next(answers)[task] for _ in own]
            row = together(rows, [end - begin for begin, end in own], how.aggregate)
            said.append(dict(zip(how.labels, map(float, row), strict=True)))
        return said

    async def tokens(self, task: str, text: str, until: float) -> TokenLabels:
        """Each label's probability, for each token of a text; see ``Engine``."""
        how = self._tasks[task]
        found = (await self._read(how, [text], until))[0]
        cuts = how.windows.cut(len(found.ids))
        wanted = frozenset({task})
        pieces = [Piece(how.tokenizer.framed(found.ids[begin:end]), wanted) for begin, end in cuts]
        answers = await self._backend.ask(task, pieces, until)
        lead = how.tokenizer.lead
        rows = [answer[task][lead : lead + end - begin] for answer, (begin, end) in zip(answers, cuts, strict=True)]
        return TokenLabels(how.labels, list(found.offsets[: cuts[-1][1]]), stitched(rows, cuts))

    def close(self) -> None:
        """Take no more work and let go of what waits."""
        for tokenising in self._tokenising.values():
            tokenising.close()
        self._backend.close()

    async def _read(self, how: Task, texts: Sequence[str], until: float) -> list[Tokens]:
        if sum(map(len, texts)) > MOST_CHARACTERS and how.windows.whole:
            raise OverloadedError
        if until <= asyncio.get_running_loop().time():
            raise TimeoutError
        at_most = None if how.windows.whole else how.windows.room
        return await self._tokenising[how.name](texts, at_most, until)
