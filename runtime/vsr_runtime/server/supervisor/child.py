"""The parent's view of one child process, which is restarted when it ends or is stuck."""

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
"""Seconds between two health checks of a child."""
STUCK_AFTER = 10.0
"""Seconds without a report after which a child counts as stuck."""
_FIRST = 60.0
"""The same until its first report: modules have to be imported."""
_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


class Child:
    """One child process, and its successors.

    Args:
        number: identifies it.
        command: starts the process.
        environment: added to the environment.
        ended: called with the values of a process that has ended.
        stuck_after: seconds without a report after which it counts as stuck.

    Attributes:
        report: its last report; None before the first.
        restarts: how often it was restarted.
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
        """Whether it accepts requests."""
        return self.report is not None and self.report.serving

    async def keep(self) -> None:
        """Keep a process running until `stop`.

        Returns earlier only if the very first process ended without having served.
        """
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
        """Ask for a report; ``report`` stays as it was if there is no process."""
        async with self._turn:
            if self._line is None:
                return
            reader, writer = self._line
            try:
                writer.write(b"\n")
                if report := await reader.readline():
                    self.report = msgspec.json.decode(report, type=ChildReport)
            except OSError:
                pass  # it has ended; `_watch` notices that
            except ValueError as error:
                log("worker_nonsense", worker=self._number, error=type(error).__name__)
                self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Forward a signal."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def stop(self) -> None:
        """Ask it to stop, and do not restart it."""
        self._stopping = True
        self.signal(signal.SIGTERM)

    async def _live(self) -> bool:
        """Run one process from start to end. Returns whether it ever served."""
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
        """Ask for reports until the process has ended, and kill it if it is stuck. Returns whether it ever served."""
        served, stuck_after = False, max(_FIRST, self._stuck_after)
        while not ended.done():
            request = asyncio.ensure_future(self.ask())
            await asyncio.wait((request, ended), timeout=stuck_after, return_when=asyncio.FIRST_COMPLETED)
            if not request.done() and not ended.done():
                log("worker_stuck", worker=self._number, pid=self._process.pid if self._process else None)
                self.signal(signal.SIGKILL)
                await ended
            if not request.done():
                await request  # its link has ended with it
            served = served or self.serving
            stuck_after = self._stuck_after
            await asyncio.wait((ended,), timeout=BEAT)
        return served
