"""Asks the classifier in threads: a deadline for each request, and none is taken that would miss it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from vsr_runtime.decision.program.conditions import SignalKind
from vsr_runtime.decision.request.events import Cause, Failure, SignalsReady
from vsr_runtime.log import log
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

if TYPE_CHECKING:
    from vsr_runtime.inference.engine.interface import TokenLabels

CATEGORY: frozenset[SignalKind] = frozenset({"category"})
THREADS = 2
MAX_PENDING = 1024
"""Requests that may be in work or wait at a time, however fast the classifier is."""
STALL = 10.0
"""Seconds without a classification, while some wait, after which the runtime says that it is not ready."""
WARM_TIMES, WARM_TIME = 3, 60.0
WARM_TEXT = "What is the derivative of x squared?"


class ClassifierResult(Protocol):
    """What a classifier says of a text. ``label`` is None below its threshold."""

    @property
    def label(self) -> str | None: ...  # noqa: D102 - said by the class
    @property
    def probability(self) -> float: ...  # noqa: D102 - said by the class
    @property
    def probabilities(self) -> Mapping[str, float]: ...  # noqa: D102 - said by the class
    @property
    def likeness(self) -> Mapping[str, float]: ...  # noqa: D102 - the cosine with each sentence of the policy


class TextClassifier(Protocol):
    """A loaded classifier: blocking, and safe to call from several threads."""

    def classify(self, text: str) -> ClassifierResult:
        """Read one text."""


class ModelPool(Protocol):
    """Asks a classifier without blocking the event loop, wherever it runs."""

    async def warm(self) -> ClassifierResult | None:
        """See that it answers. Returns what it said of a text; None where it answers no category."""

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Find out what is asked about a text until a time of the event loop's clock."""

    async def distribution(self, name: str, text: str, until: float) -> Mapping[str, float]:
        """Each label's probability by a loaded classifier; what a head's lack of one is that of none of them.

        Raises:
            OverloadedError: it would be too late, or too much waits.
            TimeoutError: it was not done in time.
            Exception: whatever breaks in a model.
        """

    async def tokens(self, name: str, text: str, until: float) -> TokenLabels:
        """Each label's probability, for each token of a text. Raises what ``distribution`` raises."""

    @property
    def healthy(self) -> bool:
        """Whether it answers: something is finished now and then where something waits."""

    @property
    def waiting(self) -> int:
        """Tokens that wait or are computed; 0 where they are not counted."""

    def close(self) -> None:
        """Take no more work and drop what waits."""


class ClassifierPool:
    """Asks a classifier without blocking the event loop."""

    waiting = 0

    def __init__(self, classifier: TextClassifier, *, threads: int = THREADS, max_pending: int = MAX_PENDING) -> None:
        self._classifier = classifier
        self._threads = ThreadPool("classify", threads=threads, max_pending=max_pending)

    async def warm(self) -> ClassifierResult:
        """Classify a text a few times, so that the first request does not pay for what is done once.

        Returns what the last of them gave.

        Raises:
            Exception: whatever the classifier raises; a server must not become ready then.
        """
        until = asyncio.get_running_loop().time() + WARM_TIME
        for _ in range(WARM_TIMES - 1):
            await self._threads.run(until, 1, partial(self._classifier.classify, WARM_TEXT))
        return await self._threads.run(until, 1, partial(self._classifier.classify, WARM_TEXT))

    async def signals(
        self,
        text: str,
        until: float,
        kinds: frozenset[SignalKind] = CATEGORY,  # noqa: ARG002 - one pass tells all of it
    ) -> SignalsReady | Failure:
        """Classify a text until a time of the event loop's clock."""
        try:
            found = await self._threads.run(until, 1, partial(self._classifier.classify, text))
        except OverloadedError:
            return Failure(Cause.OVERLOADED)
        except TimeoutError:
            return Failure(Cause.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever breaks in a model must end in a refusal
            log("classifier_failed", error=type(error).__name__)
            return Failure(Cause.BROKEN)
        return SignalsReady(found.label, found.probability, similarities=found.likeness)

    async def distribution(self, _: str, text: str, until: float) -> Mapping[str, float]:
        """Each category's probability; there is but one classifier."""
        return (await self._threads.run(until, 1, partial(self._classifier.classify, text))).probabilities

    async def tokens(self, name: str, _text: str, _until: float) -> TokenLabels:
        """A category is said of a text, not of its tokens."""
        raise LookupError(name)

    @property
    def healthy(self) -> bool:
        """Whether something was classified in the last while, if anything waits."""
        return self._threads.stalled < STALL

    def close(self) -> None:
        """Take no more work and drop what waits."""
        self._threads.close()
