"""Tokenises in threads; texts that arrive while the threads are busy are tokenised together, each once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.inference.tokenizer import TextTokenizer, Tokens

THREADS = 2
MOST_TEXTS = 64
"""Texts in a call of the tokenizer."""
LARGE = 1 << 16
"""Characters of a request from which it is tokenised by itself, and no more than one such request at a time: with any
number of them, a thread is left for the others."""
MOST_TOKENS = 1 << 20
"""Tokens of a request. No engine computes more in time."""


@dataclass(frozen=True, slots=True)
class _Request:
    texts: Sequence[str]
    at_most: int | None
    tokens: asyncio.Future[list[Tokens]]

    @property
    def large(self) -> bool:
        """Whether it takes long."""
        return self.at_most is None and sum(map(len, self.texts)) >= LARGE


class Tokenising:
    """The threads of one tokenizer."""

    def __init__(self, tokenizer: TextTokenizer, threads: int = THREADS) -> None:
        self._tokenizer = tokenizer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tokenise")
        self._idle = threads
        self._requests: deque[_Request] = deque()
        self._large: deque[_Request] = deque()
        self._large_running = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, texts: Sequence[str], at_most: int | None, until: float) -> list[Tokens]:
        """Tokenise texts; at most ``at_most`` tokens of each, if that is a number.

        Raises:
            OverloadedError: There are more tokens than an engine can compute.
            TimeoutError: It was not done until this time of the event loop's clock.
        """
        request = _Request(texts, at_most, asyncio.get_running_loop().create_future())
        (self._large if request.large else self._requests).append(request)
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
                texts = list(dict.fromkeys(text for request in batch for text in request.texts))
                try:
                    progress = partial(_check, batch)
                    tokens = await loop.run_in_executor(self._pool, self._tokenizer, texts, batch[0].at_most, progress)
                except Exception as error:  # noqa: BLE001 - whatever the tokenizer raises must reach the callers
                    for request in batch:
                        if not request.tokens.done():
                            request.tokens.set_exception(error)
                    continue
                finally:
                    self._large_running = self._large_running and not batch[0].large
                by_text = dict(zip(texts, tokens, strict=True))
                for request in batch:
                    if not request.tokens.done():
                        request.tokens.set_result([by_text[text] for text in request.texts])
        finally:
            self._idle += 1

    def _next(self) -> list[_Request]:
        """Requests for one call of the tokenizer, small ones first. Cancelled ones are skipped."""
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
        while self._large and not (batch or self._large_running):
            large = self._large.popleft()
            if not large.tokens.done():
                self._large_running = True
                batch.append(large)
        return batch


def _check(batch: Sequence[_Request], tokens: int) -> None:
    """End work that nobody waits for, and work for more tokens than can be computed."""
    if all(request.tokens.done() for request in batch):
        raise TimeoutError
    if tokens > MOST_TOKENS:
        raise OverloadedError
