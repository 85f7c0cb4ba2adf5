"""One engine process for several fronts: whoever serves with worker processes starts it, and each worker leases it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from vsr_runtime.errors import UserError
from vsr_runtime.log import log


class _Wish(msgspec.Struct):
    """What a worker asks for: the engine of these classifiers, which it finds beside this config."""

    digest: str
    config: str


class _Engine:
    """An engine process and how many lease it."""

    def __init__(self, wish: _Wish) -> None:
        from vsr_runtime.inference.engine.engine_supervisor import EngineSupervisor, engine_command  # noqa: PLC0415 - needs the classify extra

        self.supervisor = EngineSupervisor(engine_command(Path(wish.config)), wish.digest)
        self.leases = 0


class Broker:
    """Starts the engines that workers ask for, one for each set of classifiers, and ends those that nobody leases.

    While a policy is exchanged there are two; a worker that dies lets go of its lease with its connection.
    """

    def __init__(self) -> None:
        self._engines: dict[str, _Engine] = {}

    async def listen(self, path: Path) -> asyncio.Server:
        """Listen on a Unix socket, in a folder that only this user may open."""
        return await asyncio.start_unix_server(self._lease, path)

    def close(self) -> None:
        """End all engines."""
        for engine in self._engines.values():
            engine.supervisor.close()
        self._engines.clear()

    async def _lease(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, msgspec.DecodeError):
            wish = msgspec.json.decode(await reader.readline(), type=_Wish)
            engine = self._engines.get(wish.digest) or _Engine(wish)
            self._engines[wish.digest] = engine
            engine.leases += 1
            try:
                await engine.supervisor.ready()
                writer.write(f"{engine.supervisor.path}\n".encode())
                await reader.read()  # nothing comes until the worker lets go
            except UserError as error:
                log("engine_refused", reason=str(error))
            finally:
                self._release(wish.digest, engine)
        writer.close()

    def _release(self, digest: str, engine: _Engine) -> None:
        engine.leases -= 1
        if not engine.leases and self._engines.get(digest) is engine:
            del self._engines[digest]
            engine.supervisor.close()


async def lease(broker: Path, digest: str, config: Path) -> tuple[Path, Callable[[], None]]:
    """Ask for an engine, and wait until it answers.

    Returns:
        Its socket, and what lets go of it.

    Raises:
        UserError: it did not become ready.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(broker)
        writer.write(msgspec.json.encode(_Wish(digest, str(config))) + b"\n")
        path = (await reader.readline()).decode().strip()
    except OSError as error:
        raise UserError(f"nobody starts an engine ({error.strerror or error})") from None
    if not path:
        writer.close()
        raise UserError("the engine process did not become ready; its own line above says why")
    return Path(path), writer.close
