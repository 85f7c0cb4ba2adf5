"""Watches the policy's folder and swaps in a new generation; invalid files leave the old one in service."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path

from vsr_runtime import settings
from vsr_runtime.credentials import FOLDER, MAX_KEY, clients_folder, detectors_folder
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_regular
from vsr_runtime.log import log
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.file_reads import LOAD, FileReads, StuckReadError
from vsr_runtime.server.generation import Generation, Loader, content_hash, warm_generation
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.supervisor.link import workers

Hashes = tuple[str, str]
"""Hashes of a policy's content and of its keys."""
POLL = 2.0
"""Seconds between two checks. A kubelet swaps a symlink, which file watchers miss, so the content is compared."""


class Reloader:
    """Watches one folder.

    Args:
        config: the policy's config.yaml, by the path through which its content changes.
        load: loads the classifier.
        processor: serves.
        metrics: shows the outcome.
        serving: the generation that the processor was started with.
        keys: the hash of the keys before it was loaded; they may be rotated while it loads.
        credentials: the folder with the keys of providers; None for the one next to the config.
        reads: reads the files.
    """

    def __init__(
        self,
        config: Path,
        load: Loader,
        processor: Processor,
        metrics: Metrics,
        serving: Generation,
        keys: str,
        credentials: Path | None = None,
        reads: FileReads | None = None,
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._load = load
        self._processor = processor
        self._metrics = metrics
        self._serving = self._seen = serving.digest, keys
        self._max_message = serving.max_message
        self._reads = reads or FileReads()
        self._unreadable = False

    async def watch(self, poll: float = POLL, check_now: asyncio.Event | None = None) -> None:
        """Check every ``poll`` seconds, and as soon as ``check_now`` is set, until cancelled."""
        check_now = check_now or asyncio.Event()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(check_now.wait(), poll)
            check_now.clear()
            await self.look()

    async def look(self) -> None:
        """Check once. Whatever is wrong with the new files, the current generation goes on serving."""
        self._metrics.checked()
        try:
            hashes = await self._hash()
        except (StuckReadError, OSError) as error:
            self._report_unreadable(str(error))
            return
        if hashes == self._seen and not self._unreadable:
            return
        self._unreadable = False
        if hashes == self._serving:  # the rejected files were reverted, or can be read again
            self._seen = hashes
            self._metrics.reloaded(well=True)
            return
        try:
            generation = await self._build(hashes)
        except StuckReadError as error:  # the same content may be read another time
            self._report_unreadable(str(error))
        except UserError as error:
            await self._reject(hashes, str(error))
        except Exception as error:  # noqa: BLE001 - a fault in new files must not stop the old generation
            await self._reject(hashes, f"internal error ({type(error).__name__}: {error})")
        else:
            await self._swap(generation, hashes)

    async def _build(self, hashes: Hashes) -> Generation:
        policy = await self._reads.run(lambda: settings.load(self._config, self._credentials, workers()))
        if policy.limits.maxMessage > self._max_message:
            raise UserError(
                f"runtime.yaml: limits.maxMessage: {policy.limits.maxMessage} is more than the {self._max_message} "
                "that this process was started with; restart it"
            )
        return await warm_generation(policy, await self._reads.run(lambda: self._load(policy), LOAD), hashes[0])

    async def _swap(self, generation: Generation, hashes: Hashes) -> None:
        if not await self._still(hashes):  # the files changed meanwhile, so this may be a mix
            generation.retire()
            return
        self._seen = self._serving = hashes
        self._processor.swap(generation)
        self._metrics.adopt(generation.rules.program, generation.digest)
        log("reloaded", config=generation.digest)

    async def _reject(self, hashes: Hashes, reason: str) -> None:
        """Log the rejection once; the same content is not tried again."""
        if not await self._still(hashes):
            return
        self._seen = hashes
        self._metrics.reloaded(well=False)
        log("reload_refused", config=hashes[0], serving=self._serving[0], reason=reason)

    async def _still(self, hashes: Hashes) -> bool:
        """Whether the files are what they were."""
        try:
            return await self._hash() == hashes
        except (StuckReadError, OSError):
            return False

    async def _hash(self) -> Hashes:
        return await self._reads.run(lambda: (content_hash(self._config), keys_hash(self._config, self._credentials)))

    def _report_unreadable(self, reason: str) -> None:
        """Log once that the folder cannot be read. What is served goes on."""
        self._metrics.reloaded(well=False)
        if not self._unreadable:
            log("reload_refused", serving=self._serving[0], reason=reason)
        self._unreadable = True


def keys_hash(config: Path, credentials: Path | None) -> str:
    """The sha256 over the keys of providers and clients, so that a rotated key is adopted. It is never shown."""
    digest = hashlib.sha256()
    own = clients_folder(config, credentials), detectors_folder(config, credentials)
    for folder in (credentials or config.parent / FOLDER, *own):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with suppress(OSError):
                data = read_regular(path, MAX_KEY)
                digest.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()
