"""A backend whose answers end when the test says so."""

from __future__ import annotations

import asyncio
import json
import threading

EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": "well"}}]}\n\n'
_BACKLOG = 1300


class Slow:
    """A backend that begins a stream of events and holds it until it may end. Stands in for the sandbox's own."""

    end = threading.Event()

    def __init__(self, cluster: str, *_: object) -> None:
        self.cluster, self.port = cluster, 0
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(20)

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=_BACKLOG))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(next(line for line in head.splitlines() if line.startswith("content-length")).split(":")[1])
            model = json.loads(await reader.readexactly(length))["model"]
            kind = f"content-type: text/event-stream\r\nx-model: {model}"
            writer.write(f"HTTP/1.1 200 OK\r\n{kind}\r\nconnection: close\r\n\r\n".encode() + EVENT)
            while not Slow.end.is_set():  # noqa: ASYNC110 - an event of threads
                await asyncio.sleep(0.05)
            writer.write(b"data: [DONE]\n\n")
            await writer.drain()
        finally:
            writer.close()
