"""One policy made ready to serve: what a stream holds on to from its first message to its last."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.events import (
    Cause,
    DetectorResult,
    Failure,
    ImmediateResponse,
    NeedSignals,
    ResponsePlan,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import MachineConfig
from vsr_runtime.errors import UserError
from vsr_runtime.server.classify import ClassifierPool, ClassifierResult, ModelPool, TextClassifier
from vsr_runtime.server.response_cache import ResponseCache
from vsr_runtime.settings import Settings


@runtime_checkable
class Startable(Protocol):
    """A classifier that has to be started in the event loop."""

    async def start(self) -> ModelPool:
        """Start it."""


@runtime_checkable
class Detectors(Protocol):
    """A pool that has detectors for guards."""

    async def looks(self, asked: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """What each detector finds in each of its texts."""


Loader = Callable[[Settings], TextClassifier | Startable | None]
"""Loads the classifier that settings name, or returns None where they name none. Runs in a thread."""


class Generation:
    """A program, its limits, its deadline and its classifier.

    Args:
        settings: the policy.
        pool: asks the classifier; None where there is none.
        digest: names the content that it was made of.
        response_cache: has the answers that were kept; None where none are. They are forgotten with the policy.

    Attributes:
        rules: what holds for all requests.
        budget: seconds for a decision.
        max_message: bytes of a gRPC message that its bodies take.
        work: steps that a byte of text may take at the worst.
        classifiers: by name, those that are loaded.
        reads_responses: whether some response must be read.
    """

    def __init__(
        self, settings: Settings, pool: ModelPool | None, digest: str = "", response_cache: ResponseCache | None = None
    ) -> None:
        self.rules = MachineConfig(
            settings.program, settings.limits.maxBody, settings.default_on_failure, settings.debug_headers
        )
        self.budget = settings.decision_timeout
        self.max_message = settings.limits.maxMessage
        self.work = settings.program.work
        self.classifiers = settings.loaded if pool else {}
        self.reads_responses = settings.program.reads_responses
        self.pool = pool
        self.response_cache = response_cache
        self.digest = digest
        self._streams = 0
        self._retired = False

    async def signals(self, asked: NeedSignals, until: float) -> SignalsReady:
        """Find out what is asked for until a time of the event loop's clock."""
        category, looks = await asyncio.gather(self._category(asked, until), self._looks(asked, until))
        known = SignalsReady(missing=category.cause) if isinstance(category, Failure) else category
        return replace(known, detections=looks)

    async def answered(self, action: SendToModel | ImmediateResponse, until: float) -> SendToModel | ImmediateResponse:
        """The action, or the answer that was kept, as found until a time of the event loop's clock."""
        if self.response_cache is None or not isinstance(action, SendToModel):
            return action
        return await self.response_cache.recall(action, until)

    def keep(self, plan: ResponsePlan, kept: CachedResponse) -> None:
        """Keep the answer to a request."""
        if self.response_cache is not None:
            self.response_cache.keep(plan.record, kept)

    async def _category(self, asked: NeedSignals, until: float) -> SignalsReady | Failure:
        if not asked.kinds:
            return SignalsReady()
        return await self.pool.signals(asked.text, until, asked.kinds) if self.pool else Failure(Cause.BROKEN)

    async def _looks(self, asked: NeedSignals, until: float) -> Mapping[str, DetectorResult]:
        return await self.looks(asked.detector_texts, until) if asked.detector_texts else {}

    async def looks(self, asked: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """What detectors see. Where none is loaded a guard that names one has failed, and its policy says the rest."""
        if isinstance(self.pool, Detectors):
            return await self.pool.looks(asked, until)
        return dict.fromkeys(asked, Cause.BROKEN)

    @property
    def waiting(self) -> int:
        """Tokens that wait for the engine or are computed; 0 where there is none."""
        return self.pool.waiting if self.pool else 0

    def enter(self) -> None:
        """A stream begins; the classifier stays until it has ended."""
        self._streams += 1

    def leave(self) -> None:
        """A stream has ended."""
        self._streams -= 1
        if self._retired:
            self._close_if_idle()

    def retire(self) -> None:
        """Take no new stream; let go of the classifier's threads once the last stream has ended."""
        self._retired = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._retired and not self._streams:
            for each in (self.pool, self.response_cache):
                if each is not None:
                    each.close()


async def warm_generation(
    settings: Settings, classifier: TextClassifier | Startable | None, digest: str = ""
) -> Generation:
    """A generation whose classifier has read a text, and answered with something that it may answer.

    Raises:
        UserError: it did not.
    """
    response_cache = await asyncio.to_thread(ResponseCache.load, settings)
    if classifier is None:
        return Generation(settings, None, digest, response_cache)
    pool = await classifier.start() if isinstance(classifier, Startable) else ClassifierPool(classifier)
    try:
        if found := await _first_answer(pool):
            _judge(found, settings)
    except BaseException:
        pool.close()
        raise
    return Generation(settings, pool, digest, response_cache)


async def _first_answer(pool: ModelPool) -> ClassifierResult | None:
    try:
        return await pool.warm()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"the classifier failed on its first text ({type(error).__name__}: {error})") from error


def _judge(found: ClassifierResult, settings: Settings) -> None:
    labels = settings.classifier.labels if settings.classifier else []
    if not 0 <= found.probability <= 1 or (found.label is not None and found.label not in labels):
        raise UserError(
            f"the classifier answered its first text with {found.label!r} at a probability of {found.probability}, "
            "which is none of its categories' answers; compile the policy again"
        )


def content_hash(config: Path) -> str:
    """The sha256 over a policy's files: the config, ``runtime.yaml`` and the heads beside it.

    For a compiled folder it is the number that the compiler writes into ``vsr.dev/config-sha256``, so that one can see
    whether a process serves what was deployed. A file that cannot be read counts as one that is not there; whoever
    loads it will say why.
    """
    digest = hashlib.sha256()
    paths = {config, config.parent / "runtime.yaml", *config.parent.glob("*.safetensors")}
    for path in sorted(paths, key=lambda path: path.name):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()
