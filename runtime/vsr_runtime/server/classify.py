"""Runs a classifier in threads, with a deadline per request; a request that would miss it is rejected at once."""

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
"""Requests that may run or wait at a time, however fast the classifier is."""
STALL = 10.0
"""Seconds without a finished classification, while some wait, after which the runtime is unready."""
WARM_TIMES, WARM_TIME = 3, 60.0
WARM_TEXT = "What is the derivative of x squared?"


class ClassifierResult(Protocol):
    """The result of a classifier. ``label`` is None below its threshold."""

    @property
    def label(self) -> str | None: ...  # noqa: D102 - see the class
    @property
    def probability(self) -> float: ...  # noqa: D102 - see the class
    @property
    def probabilities(self) -> Mapping[str, float]: ...  # noqa: D102 - see the class
    @property
    def likeness(self) -> Mapping[str, float]: ...  # noqa: D102 - the cosine with each sentence of the policy


class TextClassifier(Protocol):
    """A loaded classifier: blocking, and safe to call from several threads."""

    def classify(self, text: str) -> ClassifierResult:
        """Classify one text."""


class ModelPool(Protocol):
    """Asks classifiers without blocking the event loop, wherever they run."""

    async def warm(self) -> ClassifierResult | None:
        """Check that the classifiers answer.

        Returns the result for a sample text; None without a category classifier.
        """

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Evaluate signals for a text until a time of the event loop's clock."""

    async def distribution(self, name: str, text: str, until: float) -> Mapping[str, float]:
        """The probability of each label by a loaded classifier.

        What is missing to 1 belongs to none of a head's labels.

        Raises:
            OverloadedError: it would be too late, or too much is queued.
            TimeoutError: it was not done in time.
            Exception: the model failed.
        """

    async def tokens(self, name: str, text: str, until: float) -> TokenLabels:
        """The probability of each label for each token of a text. Raises what ``distribution`` raises."""

    @property
    def healthy(self) -> bool:
        """Whether work is being finished, if any is queued."""

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed; 0 if they are not counted."""

    def close(self) -> None:
        """Reject new work and drop queued work."""


class ClassifierPool:
    """A `ModelPool` of one classifier in this process."""

    waiting = 0

    def __init__(self, classifier: TextClassifier, *, threads: int = THREADS, max_pending: int = MAX_PENDING) -> None:
        self._classifier = classifier
        self._threads = ThreadPool("classify", threads=threads, max_pending=max_pending)

    async def warm(self) -> ClassifierResult:
        """Classify a text a few times, so that no request pays for lazy initialisation. Returns the last result.

        Raises:
            Exception: whatever the classifier raises; the server must not become ready then.
        """
        until = asyncio.get_running_loop().time() + WARM_TIME
        for _ in range(WARM_TIMES - 1):
            await self._threads.run(until, 1, partial(self._classifier.classify, WARM_TEXT))
        return await self._threads.run(until, 1, partial(self._classifier.classify, WARM_TEXT))

    async def signals(
        self,
        text: str,
        until: float,
        kinds: frozenset[SignalKind] = CATEGORY,  # noqa: ARG002 - one pass gives all signals
    ) -> SignalsReady | Failure:
        """Classify a text until a time of the event loop's clock."""
        try:
            found = await self._threads.run(until, 1, partial(self._classifier.classify, text))
        except OverloadedError:
            return Failure(Cause.OVERLOADED)
        except TimeoutError:
            return Failure(Cause.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever a model raises must end in an error response
            log("classifier_failed", error=type(error).__name__)
            return Failure(Cause.BROKEN)
        return SignalsReady(
            found.label, found.probability, similarities=found.likeness, probabilities=found.probabilities
        )

    async def distribution(self, _: str, text: str, until: float) -> Mapping[str, float]:
        """The probability of each category; there is only one classifier."""
        return (await self._threads.run(until, 1, partial(self._classifier.classify, text))).probabilities

    async def tokens(self, name: str, _text: str, _until: float) -> TokenLabels:
        """Not supported: the classifier labels texts, not tokens."""
        raise LookupError(name)

    @property
    def healthy(self) -> bool:
        """Whether something was classified lately, if anything is queued."""
        return self._threads.stalled < STALL

    def close(self) -> None:
        """Reject new work and drop queued work."""
        self._threads.close()
