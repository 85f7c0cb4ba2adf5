"""The classifiers of a policy, of which servers compute some."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vsr_runtime.credentials import ServerAccess
from vsr_runtime.decision.program.conditions import SignalKind
from vsr_runtime.decision.request.events import Cause, DetectorResult, Failure, SignalsReady
from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.log import log
from vsr_runtime.server.classify import CATEGORY, ClassifierResult, ModelPool
from vsr_runtime.server.detectors.server import RemoteClassifier
from vsr_schemas.runtime import ClassifierSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.engine.interface import TokenLabels


class RemotePool:
    """A `ModelPool` that asks servers for their classifiers, and another pool for the rest.

    Args:
        classifiers: those of servers, by name.
        access: how each server is reached.
        inner: runs the others; None if there are none.
    """

    def __init__(
        self,
        classifiers: Mapping[str, ClassifierSettings],
        access: Mapping[str, ServerAccess],
        inner: ModelPool | None,
    ) -> None:
        self._settings = classifiers
        self._servers = {
            name: RemoteClassifier(name, one, one.server, access[name])
            for name, one in classifiers.items()
            if one.server is not None
        }
        self._category = next((name for name, one in classifiers.items() if one.task == "category"), None)
        self._inner = inner

    async def warm(self) -> ClassifierResult | None:
        """Check the classifiers of this process. A server that is down fails requests, not the start."""
        return await self._inner.warm() if self._inner else None

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Evaluate signals for a text until a time of the event loop's clock."""
        remote = CATEGORY & kinds if self._category else frozenset[SignalKind]()
        local = kinds - remote
        answers = await asyncio.gather(
            *([self._classified(text, until)] if remote else []), *([self._local(text, until, local)] if local else [])
        )
        known = SignalsReady()
        for answer, own in zip(answers, [part for part in (remote, local) if part], strict=True):
            if isinstance(answer, Failure):
                return answer
            known = known.also(answer, own, whole=False)
        return known

    async def looks(self, requested: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors on texts."""
        own = {name: texts for name, texts in requested.items() if name in self._servers}
        rest = {name: texts for name, texts in requested.items() if name not in own}
        inner, found = await asyncio.gather(
            self._inner_looks(rest, until),
            asyncio.gather(*(self._servers[name].detect(texts, until) for name, texts in own.items())),
        )
        return {**inner, **dict(zip(own, found, strict=True))}

    async def distribution(self, name: str, text: str, until: float) -> Mapping[str, float]:
        """The probability of each label; see `ModelPool`."""
        if name in self._servers:
            return await self._servers[name].shares(text, until)
        if self._inner is None:
            raise LookupError(name)
        return await self._inner.distribution(name, text, until)

    async def tokens(self, name: str, text: str, until: float) -> TokenLabels:
        """The probability of each label, for each token. Servers have spans instead."""
        if self._inner is None or name in self._servers:
            raise LookupError(name)
        return await self._inner.tokens(name, text, until)

    @property
    def healthy(self) -> bool:
        """Whether the classifiers of this process make progress."""
        return self._inner is None or self._inner.healthy

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed in this process."""
        return self._inner.waiting if self._inner else 0

    def close(self) -> None:
        """Close all connections, and the other pool."""
        for server in self._servers.values():
            server.close()
        if self._inner:
            self._inner.close()

    async def _inner_looks(self, requested: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        looks = getattr(self._inner, "looks", None)
        if not requested or looks is None:
            return dict.fromkeys(requested, Cause.BROKEN)
        result: Mapping[str, DetectorResult] = await looks(requested, until)
        return result

    async def _local(self, text: str, until: float, kinds: frozenset[SignalKind]) -> SignalsReady | Failure:
        return await self._inner.signals(text, until, kinds) if self._inner else Failure(Cause.BROKEN)

    async def _classified(self, text: str, until: float) -> SignalsReady | Failure:
        """Return the category by the server."""
        from vsr_runtime.inference.checkpoint_classifier import classification_of  # noqa: PLC0415 - needs the extra

        name = self._category or ""
        try:
            found = classification_of(await self._servers[name].shares(text, until), self._settings[name])
        except OverloadedError:
            return Failure(Cause.OVERLOADED)
        except TimeoutError:
            return Failure(Cause.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever a server causes must end in an error response
            log("classifier_failed", classifier=name, error=type(error).__name__)
            return Failure(Cause.BROKEN)
        return SignalsReady(found.label, found.probability, probabilities=found.probabilities)
