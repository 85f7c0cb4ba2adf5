"""Watches the policy's folder and replaces the generation that serves, or keeps it where the new one will not do."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path

from vsr_runtime import settings
from vsr_runtime.credentials import FOLDER, MAX_KEY
from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation, Loader, content_hash, warm_generation
from vsr_runtime.server.metrics import Metrics

Found = tuple[str, str]
"""Hashes of a policy's content and of its keys."""
POLL = 2.0
"""Seconds between two looks. A kubelet swaps a link, which tells a watcher of the files nothing; content does."""


class Reloader:
    """Looks after one folder.

    Args:
        config: the policy's config.yaml, by the path through which its content changes.
        load: loads the classifier.
        processor: serves.
        metrics: where the outcome is shown.
        serving: the generation that the processor was started with.
        keys: the hash of the keys before it was loaded, which takes a while in which they may be rotated.
        credentials: the folder with the keys of providers; None for the one beside the config.
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
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._load = load
        self._processor = processor
        self._metrics = metrics
        self._serving = self._seen = serving.digest, keys
        self._max_message = serving.max_message

    async def watch(self, poll: float = POLL, hurry: asyncio.Event | None = None) -> None:
        """Look every so many seconds, and as soon as somebody sets ``hurry``, until cancelled."""
        hurry = hurry or asyncio.Event()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(hurry.wait(), poll)
            hurry.clear()
            await self.look()

    async def look(self) -> None:
        """Look once. Whatever is wrong with what is found, the generation that serves goes on."""
        found = await self._hash()
        if found == self._seen:
            return
        if found == self._serving:  # somebody has taken back what was refused
            self._seen = found
            self._metrics.reloaded(well=True)
            return
        try:
            generation = await self._build(found)
        except UserError as error:
            await self._refuse(found, str(error))
        except Exception as error:  # noqa: BLE001 - a fault in what is new must not end what is old
            await self._refuse(found, f"internal error ({type(error).__name__}: {error})")
        else:
            await self._swap(generation, found)

    async def _build(self, found: Found) -> Generation:
        policy = await asyncio.to_thread(settings.load, self._config, self._credentials)
        if policy.limits.maxMessage > self._max_message:
            raise UserError(
                f"runtime.yaml: limits.maxMessage: {policy.limits.maxMessage} is more than the {self._max_message} "
                "that this process was started with; restart it"
            )
        return await warm_generation(policy, await asyncio.to_thread(self._load, policy), found[0])

    async def _swap(self, generation: Generation, found: Found) -> None:
        if await self._hash() != found:  # it changed under our hands, so it may be half of each
            generation.retire()
            return
        self._seen = self._serving = found
        self._processor.swap(generation)
        self._metrics.adopt(generation.rules.program, generation.digest)
        log("reloaded", config=generation.digest)

    async def _refuse(self, found: Found, reason: str) -> None:
        """Say so once; the same content is not tried again."""
        if await self._hash() != found:
            return
        self._seen = found
        self._metrics.reloaded(well=False)
        log("reload_refused", config=found[0], serving=self._serving[0], reason=reason)

    async def _hash(self) -> Found:
        return await asyncio.to_thread(lambda: (content_hash(self._config), keys_hash(self._config, self._credentials)))


def keys_hash(config: Path, credentials: Path | None) -> str:
    """The sha256 over the keys of providers, so that one that was rotated is taken up. It is shown nowhere."""
    folder = credentials or config.parent / FOLDER
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with suppress(OSError), path.open("rb") as file:
            data = file.read(MAX_KEY + 1)
            digest.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()
