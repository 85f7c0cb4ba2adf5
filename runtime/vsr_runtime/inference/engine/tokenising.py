"""Tokenises off the event loop; what comes while the threads are busy is tokenised together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vsr_runtime.inference.tokenizer import TextTokenizer, Tokens

THREADS = 2
MOST_TEXTS = 64
"""Texts in a call of the tokenizer."""


@dataclass(frozen=True, slots=True)
class _Wish:
    texts: Sequence[str]
    at_most: int | None
    found: asyncio.Future[list[Tokens]]


class Tokenising:
    """The threads of one tokenizer."""

    def __init__(self, tokenizer: TextTokenizer, threads: int = THREADS) -> None:
        self._tokenizer = tokenizer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tokenise")
        self._idle = threads
        self._wishes: deque[_Wish] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, texts: Sequence[str], at_most: int | None, until: float) -> list[Tokens]:
        """Tokens of each text; ``at_most`` so many of each, where that is a number.

        Raises:
            TimeoutError: It was not done until this time of the event loop's clock.
        """
        wish = _Wish(texts, at_most, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        if self._idle:
            self._idle -= 1
            task = asyncio.ensure_future(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        async with asyncio.timeout_at(until):
            return await wish.found

    def close(self) -> None:
        """Let go of the threads."""
        for task in self._tasks:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next():
                texts = [text for wish in batch for text in wish.texts]
                try:
                    found = await loop.run_in_executor(self._pool, self._tokenizer, texts, batch[0].at_most)
                except Exception as error:  # noqa: BLE001 - whatever the tokenizer raises must reach who waits
                    for wish in batch:
                        if not wish.found.done():
                            wish.found.set_exception(error)
                    continue
                for wish in batch:
                    own, found = found[: len(wish.texts)], found[len(wish.texts) :]
                    if not wish.found.done():
                        wish.found.set_result(own)
        finally:
            self._idle += 1

    def _next(self) -> list[_Wish]:
        """Wishes that can be granted in one call. Whoever has given up is passed over."""
        batch: list[_Wish] = []
        texts = 0
        while self._wishes:
            head = self._wishes[0]
            if not head.found.done():
                if batch and (head.at_most != batch[0].at_most or texts + len(head.texts) > MOST_TEXTS):
                    break
                batch.append(head)
                texts += len(head.texts)
            self._wishes.popleft()
        return batch
