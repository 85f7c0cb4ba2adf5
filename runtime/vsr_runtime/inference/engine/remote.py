"""The client of an engine process: sends requests, and notices when the process is gone or stuck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import msgspec

from vsr_runtime.inference.engine import frames
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.log import log

STUCK_AFTER = 3.0
"""Seconds without a message after which the engine counts as stuck. It answers each ping at once, whatever it
computes."""
PING = 0.5
"""Seconds between pings."""
AGAIN = 0.2
"""Seconds until the next attempt to connect."""


class RemoteBackend:
    """The backend behind a Unix socket. It connects, and reconnects, by itself.

    While there is no connection, or the engine is stuck, requests fail at once, including open ones: nothing hangs.

    Args:
        path: the socket.
        digest: identifies the classifiers.
        lost: called when a connected engine is gone or stuck.
        stuck_after: seconds without a message after which it counts as stuck.
    """

    def __init__(
        self, path: Path, digest: str, lost: Callable[[], None] | None = None, *, stuck_after: float = STUCK_AFTER
    ) -> None:
        self._path = path
        self._digest = digest
        self._lost = lost
        self._stuck_after = stuck_after
        self._numbers = count()
        self._open: dict[int, asyncio.Future[list[Answer]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._heard = 0.0
        self._state = frames.Pong(0, healthy=False)
        self.ready = asyncio.Event()
        self.wrong = False
        self._task = asyncio.ensure_future(self._keep())

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed, as last reported."""
        return self._state.waiting

    @property
    def healthy(self) -> bool:
        """Whether the engine is connected and reports that it is healthy."""
        return self._writer is not None and self._state.healthy

    async def ask(self, task: str, sequences: Sequence[TokenSequence], until: float) -> list[Answer]:
        """Ask the engine. Raises what ``Engine.classify`` raises."""
        if self._writer is None:
            raise EngineError("the engine process is not there")
        number = next(self._numbers)
        late = until - asyncio.get_running_loop().time() + time.monotonic()
        try:
            self._writer.write(frames.frame(frames.Ask(number, task, late, frames.pack_sequences(sequences))))
        except frames.FrameError:
            raise OverloadedError from None
        answer: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            async with asyncio.timeout_at(until):
                return await answer
        finally:
            if self._open.pop(number, None) is not None and not _answered(answer) and self._writer is not None:
                self._writer.write(frames.frame(frames.Drop(number)))

    def close(self) -> None:
        """Close the connection; callers that wait get an error."""
        self._task.cancel()
        self._disconnect()

    async def _keep(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, frames.FrameError, msgspec.DecodeError, TimeoutError):
                await self._converse()
            if self._writer is not None:
                log("engine_lost")
                self._disconnect()
                if self._lost:
                    self._lost()
            await asyncio.sleep(AGAIN)

    async def _converse(self) -> None:
        """Use one connection, from its start to its end."""
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(frames.frame(frames.Hello(self._digest)))
            async with asyncio.timeout(self._stuck_after):
                first = frames.read_engine.decode(await frames.next_frame(reader))
            self.wrong = not isinstance(first, frames.Welcome) or first.digest != self._digest
            if self.wrong:
                return
            self._writer, self._heard, self._state = writer, time.monotonic(), frames.Pong(0, healthy=True)
            self.ready.set()
            pings = asyncio.ensure_future(self._ping(writer))
            try:
                await self._listen(reader)
            finally:
                pings.cancel()
        finally:
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            async with asyncio.timeout(self._stuck_after):
                message = frames.read_engine.decode(await frames.next_frame(reader))
            if isinstance(message, frames.Pong):
                self._state = message
            elif isinstance(message, frames.Answers):
                if answer := self._waiter(message.number):
                    answer.set_result(frames.unpack_answers(message.answers))
            elif isinstance(message, frames.Failed) and (answer := self._waiter(message.number)):
                answer.set_exception(_error(message.why))

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(frames.frame(frames.Ping()))
            await asyncio.sleep(min(PING, self._stuck_after / 3))

    def _waiter(self, number: int) -> asyncio.Future[list[Answer]] | None:
        answer = self._open.get(number)
        return answer if answer is not None and not answer.done() else None

    def _disconnect(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        self.ready.clear()
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(EngineError("the engine process is gone or stuck"))


def _answered(answer: asyncio.Future[list[Answer]]) -> bool:
    return answer.done() and not answer.cancelled()


def _error(why: frames.Reason) -> Exception:
    if why == "overloaded":
        return OverloadedError()
    return TimeoutError() if why == "timeout" else EngineError("the engine failed")
