"""One policy, ready to serve: what a stream uses from its first message to its last."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Protocol, runtime_checkable

from vsr_runtime.credentials import DETECTORS, read_server_access
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
    TextSignals,
)
from vsr_runtime.errors import UserError
from vsr_runtime.files import open_regular
from vsr_runtime.server.classify import ClassifierPool, ClassifierResult, ModelPool, TextClassifier
from vsr_runtime.server.response_cache import ResponseCache
from vsr_runtime.server.telemetry.provider_names import provider_names
from vsr_runtime.settings import Settings, machine_config

_CHUNK = 1 << 20
"""Bytes of a file that are hashed at a time: something huge in the folder must not fill the memory."""


@runtime_checkable
class Startable(Protocol):
    """A classifier that has to be started in the event loop."""

    async def start(self) -> ModelPool:
        """Start it."""


@runtime_checkable
class Detectors(Protocol):
    """A pool with detectors for guards."""

    async def looks(self, texts: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """What each detector detects in each of its texts."""


_KEYS = count(1)
Loader = Callable[[Settings], TextClassifier | Startable | None]
"""Loads the classifier of the settings; returns None if they have none. Runs in a thread."""


class Generation:
    """A program, its limits, its deadline and its classifier.

    Args:
        settings: the policy.
        pool: asks the classifier; None if there is none.
        digest: identifies the files that it was made of.
        response_cache: cached answers; None for no cache. They are dropped together with the policy.

    Attributes:
        rules: what the state machine needs for all requests.
        key: identifies it within this process.
        source: what the settings were built from; None if they were not read from files.
        guards: the guards by name.
        budget: seconds for a decision.
        max_message: bytes of the largest gRPC message.
        work: worst-case steps of pattern matching per byte of text.
        classifiers: the loaded ones, by name.
        reads_responses: whether any response must be read.
        wanted: what decisions must know of models; None if they select none by that.
        trusts_addresses: whether the address of a request's sender matters.
        access_log_metadata: whether decisions are sent as dynamic metadata, too.
    """

    def __init__(
        self, settings: Settings, pool: ModelPool | None, digest: str = "", response_cache: ResponseCache | None = None
    ) -> None:
        self.rules = machine_config(settings)
        self.key = next(_KEYS)
        self.source = settings.source
        self.guards = {guard.name: guard for guard in settings.program.guards}
        self.budget = settings.decision_timeout
        self.max_message = settings.limits.maxMessage
        self.work = settings.program.work
        self.classifiers = settings.loaded if pool else {}
        self.reads_responses = settings.program.reads_responses
        self.wanted = settings.program.wanted
        self.trusts_addresses = settings.program.identity is not None and bool(settings.program.identity.networks)
        self.access_log_metadata = settings.access_log_metadata
        self.pool = pool
        self.response_cache = response_cache
        self.digest = digest
        self._streams = 0
        self._retired = False

    @cached_property
    def providers(self) -> Mapping[str, str]:
        """The provider of each model, by the name of OpenTelemetry's conventions, where it is known."""
        return provider_names(self.source.router) if self.source is not None else {}

    async def signals(self, question: NeedSignals, until: float) -> SignalsReady:
        """Evaluate what is needed until a time of the event loop's clock."""
        category, looks = await asyncio.gather(self._category(question, until), self._looks(question, until))
        known = SignalsReady(missing=category.cause) if isinstance(category, Failure) else category
        return replace(known, detections=looks)

    async def answered(self, action: SendToModel | ImmediateResponse, until: float) -> SendToModel | ImmediateResponse:
        """Replace a route by its cached answer, if one is found until a time of the event loop's clock."""
        if self.response_cache is None or not isinstance(action, SendToModel):
            return action
        return await self.response_cache.recall(action, until)

    def keep(self, plan: ResponsePlan, kept: CachedResponse) -> None:
        """Cache the answer to a request."""
        if self.response_cache is not None:
            self.response_cache.keep(plan.record, kept)

    async def _category(self, question: NeedSignals, until: float) -> SignalsReady | Failure:
        if not question.kinds:
            return SignalsReady()
        if self.pool is None:
            return Failure(Cause.BROKEN)
        texts = question.texts()
        every = [*texts, *((text, question.of_ask, False) for text in question.earlier)]
        answers = await asyncio.gather(*(self.pool.signals(text, until, kinds) for text, kinds, _ in every))
        known, earlier = SignalsReady(), []
        for number, (answer, (_, kinds, whole)) in enumerate(zip(answers, every, strict=True)):
            if isinstance(answer, Failure):
                return answer
            if number < len(texts):
                known = known.also(answer, kinds, whole=whole)
            else:
                earlier.append(_of_text(answer))
        return replace(known, earlier=earlier) if earlier else known

    async def _looks(self, question: NeedSignals, until: float) -> Mapping[str, DetectorResult]:
        return await self.looks(question.detector_texts, until) if question.detector_texts else {}

    async def looks(self, texts: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors. Without any, a guard that names one has failed, and the policy says what follows."""
        if isinstance(self.pool, Detectors):
            return await self.pool.looks(texts, until)
        return dict.fromkeys(texts, Cause.BROKEN)

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed by the engine; 0 without one."""
        return self.pool.waiting if self.pool else 0

    def enter(self) -> None:
        """A stream begins; the classifier stays loaded until it has ended."""
        self._streams += 1

    def leave(self) -> None:
        """A stream has ended."""
        self._streams -= 1
        if self._retired:
            self._close_if_idle()

    def retire(self) -> None:
        """Serve no new stream; stop the classifier's threads once the last stream has ended."""
        self._retired = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._retired and not self._streams:
            for each in (self.pool, self.response_cache):
                if each is not None:
                    each.close()


def _of_text(result: SignalsReady) -> TextSignals:
    return TextSignals(result.category, result.probability, result.probabilities, result.similarities)


async def warm_generation(
    settings: Settings, classifier: TextClassifier | Startable | None, digest: str = ""
) -> Generation:
    """Make a generation whose classifier has classified a sample text with a valid result.

    Raises:
        UserError: the classifier failed or gave an invalid result.
    """
    response_cache = await asyncio.to_thread(ResponseCache.load, settings, digest)
    pool = await _pool(settings, classifier)
    if pool is None:
        return Generation(settings, None, digest, response_cache)
    try:
        if found := await _first_answer(pool):
            _judge(found, settings)
    except BaseException:
        pool.close()
        raise
    return Generation(settings, pool, digest, response_cache)


async def _pool(settings: Settings, classifier: TextClassifier | Startable | None) -> ModelPool | None:
    """Return what asks the classifiers, here and at servers; None if there are none."""
    inner: ModelPool | None = None
    if classifier is not None:
        inner = await classifier.start() if isinstance(classifier, Startable) else ClassifierPool(classifier)
    if not settings.remote:
        return inner
    from vsr_runtime.server.detectors.pool import RemotePool  # noqa: PLC0415 - only for servers

    servers = {name: one.server for name, one in settings.remote.items() if one.server is not None}
    try:
        access = await asyncio.to_thread(read_server_access, settings.detectors or settings.folder / DETECTORS, servers)
    except UserError:
        if inner is not None:
            inner.close()
        raise
    return RemotePool(settings.remote, access, inner)


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
    """The sha256 over a policy's files: the config, ``runtime.yaml`` and the heads next to it.

    For a compiled folder it is the number that the compiler writes into ``vsr.dev/config-sha256``, so it shows whether
    a process serves what was deployed. An unreadable file counts as missing; loading it will report the error.
    """
    digest = hashlib.sha256()
    paths = {config, config.parent / "runtime.yaml", *config.parent.glob("*.safetensors")}
    for path in sorted(paths, key=lambda path: path.name):
        with suppress(OSError), os.fdopen(open_regular(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(f"{path.name}\0{size}\0".encode())
            while size > 0 and (data := file.read(min(size, _CHUNK))):
                digest.update(data)
                size -= len(data)
    return digest.hexdigest()
