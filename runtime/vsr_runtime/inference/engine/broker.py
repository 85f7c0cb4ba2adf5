"""One engine process for several servers: the parent process starts it, and each child leases it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from vsr_runtime.errors import UserError
from vsr_runtime.log import log


class _LeaseRequest(msgspec.Struct):
    """A child's request: the engine for these classifiers, with this config."""

    digest: str
    config: str


class _Engine:
    """An engine process and the number of its leases."""

    def __init__(self, request: _LeaseRequest) -> None:
        from vsr_runtime.inference.engine.engine_supervisor import EngineSupervisor, engine_command  # noqa: PLC0415 - needs the classify extra

        self.supervisor = EngineSupervisor(engine_command(Path(request.config)), request.digest)
        self.leases = 0


class Broker:
    """Starts an engine for each set of classifiers that children request, and ends those without a lease.

    There are two while a policy is being replaced. A child that dies releases its lease with its connection.
    """

    def __init__(self) -> None:
        self._engines: dict[str, _Engine] = {}

    async def listen(self, path: Path) -> asyncio.Server:
        """Listen on a Unix socket, in a folder that only this user can open."""
        return await asyncio.start_unix_server(self._lease, path)

    def close(self) -> None:
        """End all engines."""
        for engine in self._engines.values():
            engine.supervisor.close()
        self._engines.clear()

    async def _lease(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, msgspec.DecodeError):
            request = msgspec.json.decode(await reader.readline(), type=_LeaseRequest)
            engine = self._engines.get(request.digest) or _Engine(request)
            self._engines[request.digest] = engine
            engine.leases += 1
            try:
                await engine.supervisor.ready()
                writer.write(f"{engine.supervisor.path}\n".encode())
                await reader.read()  # returns when the child releases its lease
            except UserError as error:
                log("engine_refused", reason=str(error))
            finally:
                self._release(request.digest, engine)
        writer.close()

    def _release(self, digest: str, engine: _Engine) -> None:
        engine.leases -= 1
        if not engine.leases and self._engines.get(digest) is engine:
            del self._engines[digest]
            engine.supervisor.close()


async def lease(broker: Path, digest: str, config: Path) -> tuple[Path, Callable[[], None]]:
    """Lease an engine, and wait until it answers.

    Returns:
        Its socket, and a function that releases it.

    Raises:
        UserError: it did not become ready.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(broker)
        writer.write(msgspec.json.encode(_LeaseRequest(digest, str(config))) + b"\n")
        path = (await reader.readline()).decode().strip()
    except OSError as error:
        raise UserError(f"the engine broker cannot be reached ({error.strerror or error})") from None
    if not path:
        writer.close()
        raise UserError("the engine process did not become ready; its own line above says why")
    return Path(path), writer.close
