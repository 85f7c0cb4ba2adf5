"""A parent's view of one child process, which is started again whenever it ends or says nothing any more."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from vsr_runtime.log import log
from vsr_runtime.server.counters import State
from vsr_runtime.server.supervisor.link import LINK, LONGEST, ChildReport

BEAT = 0.5
"""Seconds between two questions."""
STUCK_AFTER = 10.0
"""Seconds without an answer after which a child counts as stuck."""
_FIRST = 60.0
"""The same until its first answer: what it needs has to be imported."""
_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


class Child:
    """One of several.

    Args:
        number: tells it from the others.
        command: starts the process.
        environment: its environment.
        ended: told what a process had counted that has ended.
        stuck_after: seconds without an answer after which it counts as stuck.

    Attributes:
        report: what it report last; None where it report nothing yet.
        restarts: how often it was started again.
    """

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        environment: Mapping[str, str],
        ended: Callable[[State], None],
        *,
        stuck_after: float = STUCK_AFTER,
    ) -> None:
        self.report: ChildReport | None = None
        self.restarts = 0
        self._number = number
        self._command = command
        self._environment = dict(environment)
        self._ended = ended
        self._stuck_after = stuck_after
        self._process: asyncio.subprocess.Process | None = None
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()
        self._stopping = False

    @property
    def serving(self) -> bool:
        """Whether it takes requests."""
        return self.report is not None and self.report.serving

    async def keep(self) -> None:
        """Keep one alive until `stop`; ends before only where the very first ended without having served."""
        pause = _PAUSE
        while not self._stopping:
            begun, served = asyncio.get_running_loop().time(), await self._live()
            if self._stopping or not (served or self.restarts):
                return
            pause = _PAUSE if served else min(pause * 2, _LONGEST_PAUSE)
            lasted = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(pause if lasted < _LONGEST_PAUSE else 0)
            self.restarts += 1

    async def ask(self) -> None:
        """Let it say how it is; ``report`` stays as it was where there is nobody to ask."""
        async with self._turn:
            if self._line is None:
                return
            reader, writer = self._line
            try:
                writer.write(b"\n")
                if report := await reader.readline():
                    self.report = msgspec.json.decode(report, type=ChildReport)
            except OSError:
                pass  # it has ended, which is seen elsewhere
            except ValueError as error:
                log("worker_nonsense", worker=self._number, error=type(error).__name__)
                self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def stop(self) -> None:
        """Tell it to stop, and start none in its place."""
        self._stopping = True
        self.signal(signal.SIGTERM)

    async def _live(self) -> bool:
        """One process from its beginning to its end; whether it ever served."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=os.environ | self._environment | {LINK: str(theirs.fileno())},
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._line = await asyncio.open_unix_connection(sock=ours, limit=LONGEST)
        ended = asyncio.ensure_future(self._process.wait())
        served = await self._watch(ended)
        code = await ended
        line, self._line = self._line, None
        line[1].close()
        report, self.report = self.report, None
        if report:
            self._ended(report.state)
        if not self._stopping:
            log("worker_ended", worker=self._number, pid=self._process.pid, code=code)
        return served

    async def _watch(self, ended: asyncio.Future[int]) -> bool:
        """Ask it again and again until it has ended, and end it where it does not answer; whether it ever served."""
        served, stuck_after = False, max(_FIRST, self._stuck_after)
        while not ended.done():
            asked = asyncio.ensure_future(self.ask())
            await asyncio.wait((asked, ended), timeout=stuck_after, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done() and not ended.done():
                log("worker_stuck", worker=self._number, pid=self._process.pid if self._process else None)
                self.signal(signal.SIGKILL)
                await ended
            if not asked.done():
                await asked  # its line has ended with it
            served = served or self.serving
            stuck_after = self._stuck_after
            await asyncio.wait((ended,), timeout=BEAT)
        return served
