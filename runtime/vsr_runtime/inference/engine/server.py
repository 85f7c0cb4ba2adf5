"""The server of an engine process: forwards requests from its socket to the queues."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from vsr_runtime.inference.engine import frames
from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.inference.engine.tasks import Backend
from vsr_runtime.inference.token_sequence import Answer
from vsr_runtime.log import log

MOST_ASKED = 8192
"""Open requests of one client at most."""


async def listen(backend: Backend, digest: str, path: Path) -> asyncio.Server:
    """Listen on a Unix socket that only this user can open.

    Args:
        backend: answers.
        digest: identifies the classifiers that it runs; clients with another digest are turned away.
        path: the socket. An existing one is replaced.

    Raises:
        OSError: it cannot be bound.
    """
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - local, and nothing is served yet

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _Conversation(backend, digest, reader, writer).run()

    server = await asyncio.start_unix_server(converse, path)
    path.chmod(0o600)  # noqa: ASYNC240 - as above
    return server


class _Conversation:
    """One client."""

    def __init__(
        self, backend: Backend, digest: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._backend = backend
        self._digest = digest
        self._reader = reader
        self._writer = writer
        self._asked: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Answer until the client is gone, or sends invalid data."""
        try:
            while True:
                message = frames.read_front.decode(await frames.next_frame(self._reader))
                if isinstance(message, frames.Hello):
                    self._say(frames.Welcome(self._digest))
                    if message.digest != self._digest:
                        return
                elif isinstance(message, frames.Ping):
                    self._say(frames.Pong(self._backend.waiting, self._backend.healthy))
                elif isinstance(message, frames.Drop):
                    self._cancel(message.number)
                else:
                    self._begin(message)
                await self._writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client is gone
        except (frames.FrameError, msgspec.DecodeError) as error:
            log("engine_nonsense", error=type(error).__name__)
        finally:
            for number in list(self._asked):
                self._cancel(number)
            self._writer.close()

    def _begin(self, message: frames.Ask) -> None:
        if len(self._asked) >= MOST_ASKED or message.number in self._asked:
            self._say(frames.Failed(message.number, "overloaded"))
            return
        task = asyncio.ensure_future(self._answer(message))
        self._asked[message.number] = task
        task.add_done_callback(lambda _: self._asked.pop(message.number, None))

    def _cancel(self, number: int) -> None:
        if task := self._asked.pop(number, None):
            task.cancel()

    async def _answer(self, message: frames.Ask) -> None:
        # The event loop's clock may differ from the machine's.
        until = message.until - time.monotonic() + asyncio.get_running_loop().time()
        sequences = frames.unpack_sequences(message.sequences)
        result = await answer_or_reason(lambda: self._backend.ask(message.task, sequences, until))
        self._say(
            frames.Failed(message.number, result)
            if isinstance(result, str)
            else frames.Answers(message.number, frames.pack_answers(result))
        )

    def _say(self, message: frames.Frame) -> None:
        try:
            self._writer.write(frames.frame(message))
        except frames.FrameError:
            if isinstance(message, frames.Answers):
                self._writer.write(frames.frame(frames.Failed(message.number, "overloaded")))


async def answer_or_reason(work: Callable[[], Awaitable[list[Answer]]]) -> list[Answer] | frames.Reason:
    """What the work gives, or the word for why it gives nothing."""
    with suppress(asyncio.CancelledError):
        try:
            return await work()
        except OverloadedError:
            return "overloaded"
        except TimeoutError:
            return "timeout"
        except Exception as error:  # noqa: BLE001 - whatever it is, the client must get an error
            log("engine_failed", error=type(error).__name__)
            return "broken"
    return "broken"
