"""Tokenises in threads; texts that arrive while the threads are busy are tokenised together."""

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
class _Request:
    texts: Sequence[str]
    at_most: int | None
    tokens: asyncio.Future[list[Tokens]]


class Tokenising:
    """The threads of one tokenizer."""

    def __init__(self, tokenizer: TextTokenizer, threads: int = THREADS) -> None:
        self._tokenizer = tokenizer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tokenise")
        self._idle = threads
        self._requests: deque[_Request] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, texts: Sequence[str], at_most: int | None, until: float) -> list[Tokens]:
        """Tokenise texts; at most ``at_most`` tokens of each, if that is a number.

        Raises:
            TimeoutError: It was not done until this time of the event loop's clock.
        """
        request = _Request(texts, at_most, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        if self._idle:
            self._idle -= 1
            task = asyncio.ensure_future(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        async with asyncio.timeout_at(until):
            return await request.tokens

    def close(self) -> None:
        """Stop the threads."""
        for task in self._tasks:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next():
                texts = [text for request in batch for text in request.texts]
                try:
                    tokens = await loop.run_in_executor(self._pool, self._tokenizer, texts, batch[0].at_most)
                except Exception as error:  # noqa: BLE001 - whatever the tokenizer raises must reach the callers
                    for request in batch:
                        if not request.tokens.done():
                            request.tokens.set_exception(error)
                    continue
                for request in batch:
                    own, tokens = tokens[: len(request.texts)], tokens[len(request.texts) :]
                    if not request.tokens.done():
                        request.tokens.set_result(own)
        finally:
            self._idle += 1

    def _next(self) -> list[_Request]:
        """Requests for one call of the tokenizer. Cancelled ones are skipped."""
        batch: list[_Request] = []
        texts = 0
        while self._requests:
            head = self._requests[0]
            if not head.tokens.done():
                if batch and (head.at_most != batch[0].at_most or texts + len(head.texts) > MOST_TEXTS):
                    break
                batch.append(head)
                texts += len(head.texts)
            self._requests.popleft()
        return batch
