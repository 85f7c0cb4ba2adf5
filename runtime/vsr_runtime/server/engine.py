"""A policy whose classifiers the engine runs: loaded in a thread, started in the event loop, and used there."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsr_runtime.decision.guards.detection import most_likely
from vsr_runtime.decision.program.conditions import SignalKind
from vsr_runtime.decision.request.events import Cause, DetectorResult, Failure, SignalsReady
from vsr_runtime.errors import UserError
from vsr_runtime.inference.checkpoint_classifier import classification_of
from vsr_runtime.inference.classifier import Classification
from vsr_runtime.inference.engine.batch_queues import BatchQueues, LoadedModel
from vsr_runtime.inference.engine.broker import lease
from vsr_runtime.inference.engine.engine_supervisor import START, EngineSupervisor, engine_command
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.engine.interface import Engine, TokenLabels
from vsr_runtime.inference.engine.process import digest_of
from vsr_runtime.inference.engine.remote import RemoteBackend
from vsr_runtime.inference.engine.tasks import TaskEngine
from vsr_runtime.inference.task import Task
from vsr_runtime.inference.token_spans import TokenDetection
from vsr_runtime.log import log
from vsr_runtime.server.classify import CATEGORY, WARM_TEXT, WARM_TIME
from vsr_runtime.server.supervisor.link import BROKER
from vsr_runtime.settings import Settings
from vsr_schemas.runtime import ClassifierSettings

SOCKET = "VSR_ENGINE_SOCKET"
"""The environment variable with the socket of a running engine process, which several servers may share."""


COSINES = (-1.001, 1.001)
"""Range of cosines of unit vectors, allowing for rounding."""


@dataclass(frozen=True)
class LoadedEngine:
    """What can be loaded without an event loop.

    Attributes:
        settings: the policy.
        config: its config.yaml.
        tasks: how texts are read.
        models: those that this process computes; None if another process does.
    """

    settings: Settings
    config: Path
    tasks: Mapping[str, Task]
    models: Sequence[LoadedModel] | None

    async def start(self) -> EnginePool:
        """Start the engine and warm it up.

        Raises:
            UserError: it cannot be started.
        """
        classifiers = self.settings.engine
        if self.models is not None:
            queues = BatchQueues(self.models)
            try:
                await queues.warm()
            except EngineError as error:
                queues.close()
                raise UserError(f"a checkpoint failed on its first batch ({error})") from error
            return EnginePool(TaskEngine(self.tasks, queues), classifiers, self.settings.category)
        remote, close = await _connected(digest_of(classifiers), self.config)
        return EnginePool(TaskEngine(self.tasks, remote), classifiers, self.settings.category, close)


async def _connected(digest: str, config: Path) -> tuple[RemoteBackend, Callable[[], None] | None]:
    """Connect to an engine process: a running one, or a new one."""
    if (path := os.environ.get(BROKER)) and not os.environ.get(SOCKET):
        shared, release = await lease(Path(path), digest, config)
        return await _reached(shared, digest, release), release
    if path := os.environ.get(SOCKET):
        return await _reached(Path(path), digest), None
    supervisor = EngineSupervisor(engine_command(config), digest)
    try:
        await supervisor.ready()
    except BaseException:
        supervisor.close()
        raise
    return supervisor.remote, supervisor.close


async def _reached(path: Path, digest: str, release: Callable[[], None] | None = None) -> RemoteBackend:
    remote = RemoteBackend(path, digest)
    try:
        async with asyncio.timeout(START):
            await remote.ready.wait()
    except BaseException as error:
        remote.close()
        if release:
            release()
        if not isinstance(error, TimeoutError):
            raise
        why = "runs the classifiers of another policy" if remote.wrong else "does not answer"
        raise UserError(f"the engine at {path} {why}; start it with this policy's config") from None
    return remote


class EnginePool:
    """An engine, used for categories, sentence similarity and guards.

    Args:
        engine: answers.
        classifiers: by name, as in ``runtime.yaml``.
        category: the name of the category classifier; None if there is none.
        close: releases what the engine uses.

    Attributes:
        engine: for other tasks than the category.
    """

    def __init__(
        self,
        engine: Engine,
        classifiers: Mapping[str, ClassifierSettings],
        category: str | None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.engine = engine
        self._classifiers = dict(classifiers)
        self._category = category
        likeness = (name for name, one in classifiers.items() if one.task == "likeness")
        self._sentences = next(likeness, None)
        self._close = close

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed."""
        return self.engine.waiting

    async def warm(self) -> Classification | None:
        """Let every classifier read a sample text, and check the results.

        Raises:
            UserError: a result is not a probability.
        """
        until = asyncio.get_running_loop().time() + WARM_TIME
        found = None
        for name, classifier in self._classifiers.items():
            if _by_token(classifier):
                results = (await self.engine.label_tokens(name, [WARM_TEXT], until))[0].probabilities.ravel().tolist()
            else:
                answer = (await self.engine.classify(name, [WARM_TEXT], until))[0]
                results = list(answer.values())
                if name == self._category:
                    found = classification_of(answer, classifier)
            least, most = COSINES if classifier.task == "likeness" else (0, 1)
            if not results or not all(math.isfinite(share) and least <= share <= most for share in results):
                raise UserError(f"classifier {name}: its first result is no probability; its weights are damaged")
        return found

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """The category of a text, its similarity to the policy's sentences, or both, until a time of the loop."""
        names = {"category": self._category, "similarity": self._sentences}
        requested = {kind: names[kind] for kind in kinds}
        if None in requested.values():
            return Failure(Cause.BROKEN)
        try:
            answers = await asyncio.gather(
                *(self.engine.classify(name, [text], until) for name in requested.values() if name is not None)
            )
        except OverloadedError:
            return Failure(Cause.OVERLOADED)
        except TimeoutError:
            return Failure(Cause.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever an engine raises must end in an error response
            log("classifier_failed", error=type(error).__name__)
            return Failure(Cause.BROKEN)
        results = {kind: answer[0] for kind, answer in zip(requested, answers, strict=True)}
        likeness = results.get("similarity", {})
        if "category" not in results or self._category is None:
            return SignalsReady(similarities=likeness)
        found = classification_of(results["category"], self._classifiers[self._category])
        return SignalsReady(found.label, found.probability, similarities=likeness, probabilities=found.probabilities)

    async def looks(self, requested: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors on texts: the most probable label of a text, or the labels of its tokens."""
        found = await asyncio.gather(*(self._look(name, texts, until) for name, texts in requested.items()))
        return dict(zip(requested, found, strict=True))

    async def _look(self, name: str, texts: Sequence[str], until: float) -> DetectorResult:
        classifier = self._classifiers[name]
        try:
            if _by_token(classifier):
                return [
                    TokenDetection(text, name, found.labels, found.offsets, found.probabilities)
                    for text, found in zip(texts, await self.engine.label_tokens(name, texts, until), strict=True)
                ]
            answers = await self.engine.classify(name, texts, until)
        except OverloadedError:
            return Cause.OVERLOADED
        except TimeoutError:
            return Cause.TIMEOUT
        except Exception as error:  # noqa: BLE001 - whatever an engine raises must end in an error response
            log("detector_failed", detector=name, error=type(error).__name__)
            return Cause.BROKEN
        return [most_likely(answer, classifier.labels, text, name) for answer, text in zip(answers, texts, strict=True)]

    async def distribution(self, name: str, text: str, until: float) -> Mapping[str, float]:
        """The probability of each label; see `ModelPool`."""
        return (await self.engine.classify(name, [text], until))[0]

    async def tokens(self, name: str, text: str, until: float) -> TokenLabels:
        """The probability of each label, for each token."""
        return (await self.engine.label_tokens(name, [text], until))[0]

    @property
    def healthy(self) -> bool:
        """Whether the engine is running and no batch is stuck."""
        return self.engine.healthy

    def close(self) -> None:
        """Reject new work and drop queued work."""
        self.engine.close()
        if self._close:
            self._close()


def _by_token(classifier: ClassifierSettings) -> bool:
    return classifier.checkpoint is not None and classifier.checkpoint.kind == "token"
