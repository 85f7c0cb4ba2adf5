"""Classifiers of both policies: what the active one has computed is not computed again if the candidate's are the same.

Compiled classifiers share their encoder. An engine and servers are shared if all classifiers are equal.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from pathlib import Path
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any

from vsr_runtime.decision.program.conditions import SignalKind
from vsr_runtime.decision.request.events import Cause, DetectorResult, Failure, SignalsReady
from vsr_runtime.files import read_regular
from vsr_runtime.server.classify import CATEGORY, ClassifierResult, ModelPool, TextClassifier
from vsr_runtime.server.file_reads import LOAD, FileReads
from vsr_runtime.server.generation import Generation, Loader, Startable, warm_generation
from vsr_runtime.server.response_cache import ResponseCache
from vsr_runtime.settings import Settings, build_settings
from vsr_schemas.runtime import ClassifierSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.engine.interface import TokenLabels

REMEMBERED = 512
"""Results that are remembered."""
MAX_HEAD = 64 << 20
"""Bytes of a head that is compared."""
Spend = Callable[[float], None]


def record(generation: Generation) -> None:
    """Let an active policy's pool remember its latest results."""
    if generation.pool is not None and generation.source is not None:
        generation.pool = RecordingPool(generation.pool)


async def candidate_generation(
    settings: Settings,
    active: Generation,
    load: Loader,
    spend: Spend,
    reads: FileReads,
    digest: str,
    *,
    broker: bool = False,
) -> Generation:
    """Make the generation of a candidate.

    Args:
        settings: the candidate.
        active: the active policy, whose engine and servers it uses if its classifiers are the same.
        load: loads classifiers.
        spend: is given the CPU time that its classifiers use.
        reads: runs what reads files.
        digest: identifies its files.
        broker: whether a parent process lends engines.

    Raises:
        UserError: its classifiers cannot be loaded.
    """
    settings = replace(settings, cache=None)
    elsewhere = bool(settings.engine or settings.remote or (broker and settings.classifiers))
    if elsewhere and isinstance(active.pool, RecordingPool) and await reads.run(lambda: _equal(settings, active)):
        return Generation(settings, BorrowedPool(active.pool, spend), digest)
    loaded = await reads.run(lambda: load(settings), LOAD)
    if loaded is not None and not isinstance(loaded, Startable):
        loaded = MeteredClassifier(loaded, spend)
    generation = await warm_generation(settings, loaded, digest)
    if generation.pool is not None and elsewhere:
        generation.pool = TimedPool(generation.pool, spend)
    return generation


async def deciding_generation(
    settings: Settings, shadowing: Generation, active: Generation, load: Loader, reads: FileReads
) -> Generation:
    """Make the generation of a candidate that decides requests.

    Args:
        settings: the candidate, with the keys of its providers.
        shadowing: the candidate as it is compared, whose engine and servers it uses.
        active: the active policy.
        load: loads classifiers.
        reads: runs what reads files.

    Raises:
        UserError: its classifiers cannot be loaded.
    """
    pool = shadowing.pool
    if isinstance(pool, TimedPool):
        shared = active.pool if isinstance(pool, BorrowedPool) and active.pool is not None else pool.inner
        store = await asyncio.to_thread(ResponseCache.load, settings, shadowing.digest)
        return Generation(settings, SharedPool(shared), shadowing.digest, store)
    return await warm_generation(settings, await reads.run(lambda: load(settings), LOAD), shadowing.digest)


def mirrored(active: Generation, spend: Spend) -> Generation | None:
    """Return the active policy as it decides a candidate's requests to compare; None if that is not possible."""
    if active.source is None:
        return None
    pool = BorrowedPool(active.pool, spend) if isinstance(active.pool, RecordingPool) else None
    if pool is None and active.pool is not None:
        return None
    return Generation(replace(build_settings(active.source), cache=None), pool, active.digest)


def _equal(settings: Settings, active: Generation) -> bool:
    """Return whether both policies have the same classifiers."""
    if active.source is None:
        return False
    return _identity(settings.classifiers, settings.folder) == _identity(
        active.source.runtime.classifiers, active.source.folder
    )


def _identity(classifiers: Mapping[str, ClassifierSettings], folder: Path) -> str:
    digest = sha256()
    for name, one in sorted(classifiers.items()):
        digest.update(f"{name}\0{one.model_dump_json()}\0".encode())
        if one.head is not None and (folder / one.head.file).exists():
            digest.update(sha256(read_regular(folder / one.head.file, MAX_HEAD)).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class MeteredClassifier:
    """A classifier whose CPU time is known."""

    inner: TextClassifier
    spend: Spend

    def classify(self, text: str) -> ClassifierResult:
        """Classify one text."""
        begun = thread_time()
        try:
            return self.inner.classify(text)
        finally:
            self.spend(thread_time() - begun)


class _Pool:
    """A pool that passes everything on."""

    def __init__(self, inner: ModelPool) -> None:
        self.inner: Any = inner

    async def warm(self) -> ClassifierResult | None:
        """Check that the classifiers answer."""
        found: ClassifierResult | None = await self.inner.warm()
        return found

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Evaluate signals for a text."""
        answer: SignalsReady | Failure = await self.inner.signals(text, until, kinds)
        return answer

    async def looks(self, texts: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors on texts."""
        if not hasattr(self.inner, "looks"):
            return dict.fromkeys(texts, Cause.BROKEN)
        found: Mapping[str, DetectorResult] = await self.inner.looks(texts, until)
        return found

    async def distribution(self, name: str, text: str, until: float) -> Mapping[str, float]:
        """The probability of each label by a loaded classifier."""
        found: Mapping[str, float] = await self.inner.distribution(name, text, until)
        return found

    async def tokens(self, name: str, text: str, until: float) -> TokenLabels:
        """The probability of each label for each token of a text."""
        found: TokenLabels = await self.inner.tokens(name, text, until)
        return found

    @property
    def healthy(self) -> bool:
        """Whether work is being finished, if any is queued."""
        return bool(self.inner.healthy)

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed."""
        return int(self.inner.waiting)

    def close(self) -> None:
        """Reject new work and drop queued work."""
        self.inner.close()


class SharedPool(_Pool):
    """A pool that another generation closes."""

    def close(self) -> None:
        """Leave it to the other one."""


class RecordingPool(_Pool):
    """The active policy's pool. It remembers the latest results, by digests of texts, and never uses them."""

    def __init__(self, inner: ModelPool) -> None:
        super().__init__(inner)
        self._known: OrderedDict[bytes, Any] = OrderedDict()

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Evaluate signals for a text."""
        answer = await super().signals(text, until, kinds)
        if not isinstance(answer, Failure):
            self._keep(_key(sorted(kinds), [text]), answer)
        return answer

    async def looks(self, texts: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors on texts."""
        found = await super().looks(texts, until)
        for name, result in found.items():
            if not isinstance(result, Cause):
                self._keep(_key(["looks", name], texts[name]), result)
        return found

    def known_signals(self, text: str, kinds: frozenset[SignalKind]) -> SignalsReady | None:
        """Return the signals of a text, if they are remembered."""
        found: SignalsReady | None = self._known.get(_key(sorted(kinds), [text]))
        return found

    def known_looks(self, name: str, texts: Sequence[str]) -> DetectorResult | None:
        """Return what a detector has detected in texts, if it is remembered."""
        found: DetectorResult | None = self._known.get(_key(["looks", name], texts))
        return found

    def _keep(self, key: bytes, value: object) -> None:
        self._known[key] = value
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


class TimedPool(_Pool):
    """A pool of an engine, whose time counts as CPU time: it is somewhere else, or in several threads."""

    def __init__(self, inner: ModelPool, spend: Spend) -> None:
        super().__init__(inner)
        self._spend = spend

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Evaluate signals for a text."""
        begun = monotonic()
        try:
            return await super().signals(text, until, kinds)
        finally:
            self._spend(monotonic() - begun)

    async def looks(self, texts: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors on texts."""
        begun = monotonic()
        try:
            return await super().looks(texts, until)
        finally:
            self._spend(monotonic() - begun)


class BorrowedPool(TimedPool):
    """The active policy's pool for the candidate. It is asked only if it has nothing else to do."""

    def __init__(self, pool: RecordingPool, spend: Spend) -> None:
        super().__init__(pool.inner, spend)
        self._recorded = pool

    async def signals(self, text: str, until: float, kinds: frozenset[SignalKind] = CATEGORY) -> SignalsReady | Failure:
        """Evaluate signals for a text."""
        known = self._recorded.known_signals(text, kinds)
        if known is not None:
            return known
        return Failure(Cause.OVERLOADED) if self.waiting else await super().signals(text, until, kinds)

    async def looks(self, texts: Mapping[str, Sequence[str]], until: float) -> Mapping[str, DetectorResult]:
        """Run detectors on texts."""
        found = {name: self._recorded.known_looks(name, some) for name, some in texts.items()}
        missing = {name: texts[name] for name, result in found.items() if result is None}
        if missing and self.waiting:
            computed: Mapping[str, DetectorResult] = dict.fromkeys(missing, Cause.OVERLOADED)
        else:
            computed = await super().looks(missing, until) if missing else {}
        return {name: computed[name] if result is None else result for name, result in found.items()}

    def close(self) -> None:
        """Leave it to the active policy."""


def _key(names: Sequence[str], texts: Sequence[str]) -> bytes:
    digest = blake2b("\0".join(names).encode(), digest_size=16)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(f"\0{len(data)}\0".encode() + data)
    return digest.digest()
