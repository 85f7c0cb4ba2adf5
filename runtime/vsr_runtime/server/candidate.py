"""Loads a candidate to compare with, and follows its files. Whatever is wrong with them concerns nobody else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vsr_runtime import settings
from vsr_runtime.credentials import FOLDER, KEYLESS, clients_folder
from vsr_runtime.decision.request.share import conflict
from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.file_reads import FileReads, StuckReadError
from vsr_runtime.server.generation import Generation, Loader, content_hash
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.reload import POLL, keys_hash
from vsr_runtime.server.shadow.classifiers import candidate_generation, deciding_generation, mirrored
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.shadow.share import Share, Sharing
from vsr_runtime.server.shadow_metrics import ShadowMetrics
from vsr_runtime.server.supervisor.link import BROKER, workers

Hashes = tuple[str, str, int]
"""Hashes of the candidate's content and of the clients' keys, and the active generation."""


class CandidateWatch:
    """Watches the candidate's folder.

    Args:
        config: the candidate's config.yaml, which may be missing.
        active: the active policy's config.yaml.
        credentials: the folder with the keys of providers, beside that of clients; None for the one next to it.
        processor: serves the active policy.
        shadow: compares.
        load: loads classifiers.
        metrics: shows the outcome.
        reads: reads the files.
    """

    def __init__(
        self,
        config: Path,
        active: Path,
        credentials: Path | None,
        processor: Processor,
        shadow: Shadow,
        load: Loader,
        metrics: ShadowMetrics,
        reads: FileReads | None = None,
    ) -> None:
        self._config = config
        self._beside = clients_folder(active, credentials).parent
        self._keys = active, credentials
        self._processor = processor
        self._shadow = shadow
        self._load_classifiers = load
        self._metrics = metrics
        self._reads = reads or FileReads()
        self._seen: Hashes | None = None

    async def watch(self, poll: float = POLL) -> None:
        """Look every ``poll`` seconds, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(poll)

    async def look(self) -> None:
        """Look once."""
        try:
            hashes = await self._reads.run(self._hashes)
        except (StuckReadError, OSError):
            return
        if hashes == self._seen:
            return
        self._seen = hashes
        if hashes is None:
            self._shadow.swap(None)
            self._metrics.no_candidate()
            log("shadow_ended")
            return
        try:
            candidate = await self._load(hashes[0])
            sharing = await self._sharing(candidate) if self._shadow.share is not None else None
        except UserError as error:
            self._refuse(hashes[0], str(error))
        except Exception as error:  # noqa: BLE001 - a fault in its files must not stop the active policy
            self._refuse(hashes[0], f"internal error ({type(error).__name__}: {error})")
        else:
            self._shadow.swap(candidate, sharing)
            self._processor.share_changed()
            self._metrics.candidate(candidate.digest, "loaded")
            log("shadow_loaded", config=candidate.digest, active=self._processor.generation.digest)

    def _hashes(self) -> Hashes | None:
        if not self._config.exists():
            return None
        return content_hash(self._config), keys_hash(*self._keys), self._processor.generation.key

    async def _load(self, digest: str) -> Generation:
        policy = await self._reads.run(self._settings)
        active, spend = self._processor.generation, self._shadow.budget.spend
        return await candidate_generation(
            policy, active, self._load_classifiers, spend, self._reads, digest, broker=BROKER in os.environ
        )

    async def _sharing(self, candidate: Generation) -> Sharing | None:
        """Return the candidate as it decides its share; None if the active policy has to decide all of it."""
        active = self._processor.generation
        try:
            own = await self._reads.run(
                lambda: self._tightened(self._read(self._keys[1] or self._active_keys, workers()))
            )
            deciding = await deciding_generation(own, candidate, active, self._load_classifiers, self._reads)
        except UserError as error:
            reason: str | None = str(error)
        else:
            reason = conflict(active.rules, deciding.rules)
            if reason is None:
                return Sharing(active.key, deciding, mirrored(active, self._shadow.budget.spend))
            deciding.retire()
        log("share_refused", config=candidate.digest, active=active.digest, reason=reason)
        return None

    @property
    def _active_keys(self) -> Path:
        return self._keys[0].parent / FOLDER

    def _settings(self) -> settings.Settings:
        """Read the candidate as if it served here: by the limits of the active one's gateway, and its clients' keys."""
        return self._tightened(self._read(KEYLESS))

    def _read(self, credentials: Path, processes: int = 1) -> settings.Settings:
        return settings.load(self._config, credentials, processes, beside=self._beside)

    def _tightened(self, read: settings.Settings) -> settings.Settings:
        """Return the candidate's settings by the limits of the active one's gateway."""
        active = self._processor.generation.source
        tighter = active.runtime.limits.models if active is not None else None
        if read.source is None or not tighter or read.source.runtime.limits.models:
            return read
        runtime = read.source.runtime
        known = {name: limits for name, limits in tighter.items() if name in read.program.models}
        limits = runtime.limits.model_copy(update={"models": known or None})
        runtime = runtime.model_copy(update={"limits": limits})
        return replace(settings.build_settings(replace(read.source, runtime=runtime)), detectors=read.detectors)

    def _refuse(self, digest: str, reason: str) -> None:
        """Compare with no candidate, and say why, once."""
        self._shadow.swap(None)
        self._metrics.candidate(digest, "refused")
        log("shadow_refused", config=digest, reason=reason)


class Comparison:
    """A comparison with a candidate, if there may be one.

    Args:
        candidate: its config.yaml; None for no comparison.
        load: loads classifiers.
        metrics: counts.
        percent: per cent of all conversations that the candidate decides.
        agentgateway: whether the gateway is agentgateway.

    Attributes:
        shadow: compares; None for no comparison.
    """

    def __init__(
        self, candidate: Path | None, load: Loader, metrics: Metrics, percent: float = 0, *, agentgateway: bool
    ) -> None:
        share = Share(metrics.policies, percent) if percent else None
        self.shadow = Shadow(metrics.shadow, share=share, agentgateway=agentgateway) if candidate else None
        self._candidate, self._load, self._metrics = candidate, load, metrics.shadow

    def watch(
        self, active: Path, credentials: Path | None, processor: Processor, reads: FileReads, poll: float
    ) -> Sequence[asyncio.Future[None]]:
        """Begin to load and to watch the candidate; return the task, if there is one."""
        if self._candidate is None or self.shadow is None:
            return ()
        watch = CandidateWatch(
            self._candidate, active, credentials, processor, self.shadow, self._load, self._metrics, reads
        )
        return (asyncio.ensure_future(watch.watch(poll)),)
