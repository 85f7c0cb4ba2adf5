"""Starts an engine process, and restarts it when it ends or is stuck."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.inference.engine.remote import STUCK_AFTER, RemoteBackend
from vsr_runtime.log import log

START = 600.0
"""Seconds for an engine to load and warm up its models."""
_PAUSE, _LONGEST_PAUSE = 0.5, 10.0


class EngineSupervisor:
    """The engine process of one server.

    Args:
        command: starts the process; the socket's path is appended. Its standard input is a pipe that ends with this
            process, so that it does not outlive it.
        digest: identifies the classifiers that it runs.
        stuck_after: seconds without a message after which it counts as stuck.

    Attributes:
        path: the socket.
    """

    def __init__(self, command: Sequence[str], digest: str, *, stuck_after: float = STUCK_AFTER) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="vsr-engine-"))  # readable by this user alone
        self.path = self._folder / "socket"
        self._command = [*command, str(self.path)]
        self._process: asyncio.subprocess.Process | None = None
        self._was_ready = False
        self.remote = RemoteBackend(self.path, digest, self._kill, stuck_after=stuck_after)
        self._task = asyncio.ensure_future(self._keep())

    async def ready(self) -> None:
        """Wait until the engine answers.

        Raises:
            UserError: it ended first, or takes too long.
        """
        came = asyncio.ensure_future(self.remote.ready.wait())
        try:
            await asyncio.wait((came, self._task), timeout=START, return_when=asyncio.FIRST_COMPLETED)
            if not came.done():
                raise UserError("the engine process did not become ready; its own line above says why")
        finally:
            came.cancel()

    def close(self) -> None:
        """End the process."""
        self._task.cancel()
        self.remote.close()
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        return self._process.pid if self._process else None

    def _kill(self) -> None:
        """Kill the process: a stuck one does not react to SIGTERM."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _keep(self) -> None:
        """Keep the process running. Ends only if the engine was never ready; later, it is always restarted."""
        pause = _PAUSE
        while True:
            begun = asyncio.get_running_loop().time()
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.PIPE)
            ended = asyncio.ensure_future(self._process.wait())
            was_ready = asyncio.ensure_future(self.remote.ready.wait())
            try:
                await asyncio.wait((ended, was_ready), return_when=asyncio.FIRST_COMPLETED)
                good = was_ready.done()
                code = await ended
            finally:
                ended.cancel()
                was_ready.cancel()
            log("engine_ended", code=code)
            if not good and not self._was_ready:
                return
            self._was_ready = self._was_ready or good
            lasted = asyncio.get_running_loop().time() - begun
            pause = _PAUSE if lasted > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)


def engine_command(config: Path) -> list[str]:
    """The command that starts an engine for a policy; ``EngineSupervisor`` appends the socket."""
    return [sys.executable, "-m", "vsr_runtime.cli", "engine", "--with-parent", "--config", str(config), "--socket"]
