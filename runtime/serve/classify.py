"""Runs the classifier beside the event loop: a few threads, a bounded number waiting, a deadline for each request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from runtime.output import log
from runtime.program.rules import Signals
from runtime.request.events import Cause, Failure, SignalsReady

THREADS = 2
MAX_PENDING = 256
"""Requests that may be in work or wait at a time. Beyond it, waiting longer than the deadline is all but sure."""
WARM_TEXT = "What is the derivative of x squared?"


class Classified(Protocol):
    """What a classifier says of a text. ``label`` is None below its threshold."""

    @property
    def label(self) -> str | None: ...  # noqa: D102 - said by the class
    @property
    def probability(self) -> float: ...  # noqa: D102 - said by the class
    @property
    def probabilities(self) -> Mapping[str, float]: ...  # noqa: D102 - said by the class


class Classifier(Protocol):
    """A loaded classifier: blocking, and safe to call from several threads."""

    def classify(self, text: str) -> Classified:
        """Read one text."""


class ClassifierPool:
    """Asks a classifier without blocking the event loop."""

    def __init__(self, classifier: Classifier, *, threads: int = THREADS, max_pending: int = MAX_PENDING) -> None:
        self._classifier = classifier
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="classify")
        self._places = threading.BoundedSemaphore(max_pending)

    async def warm(self) -> None:
        """Classify one text, so that the first request does not pay for what is done once.

        Raises:
            Exception: whatever the classifier raises; a server must not become ready then.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self._classifier.classify, WARM_TEXT)

    async def signals(self, text: str, until: float) -> SignalsReady | Failure:
        """Classify a text until a time of the event loop's clock.

        Whoever is cancelled while waiting leaves the queue: nobody computes what nobody waits for.
        """
        if not self._places.acquire(blocking=False):
            return Failure(Cause.OVERLOADED)
        work = self._threads.submit(self._classifier.classify, text)
        # A thread that has begun cannot be stopped; it holds its place until it is through.
        work.add_done_callback(lambda _: self._places.release())
        try:
            async with asyncio.timeout_at(until):
                found = await asyncio.wrap_future(work)
        except TimeoutError:
            return Failure(Cause.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever breaks in a model must end in a refusal
            log("classifier_failed", error=type(error).__name__)
            return Failure(Cause.BROKEN)
        return SignalsReady(Signals(found.label, found.probability))

    def close(self) -> None:
        """Take no more work and drop what waits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
