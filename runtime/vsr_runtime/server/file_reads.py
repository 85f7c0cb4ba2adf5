"""Reads files in threads that the process never waits for: a network file system can hold a read for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from vsr_runtime.errors import UserError

Result = TypeVar("Result")

READ = 10.0
"""Seconds for small files."""
LOAD = 600.0
"""Seconds for a classifier, which may be gigabytes."""
_MOST_STUCK = 4
"""Reads that may be stuck before none is tried any more."""


class StuckReadError(UserError):
    """A read has not ended in time."""


class FileReads:
    """Reads that end in time, or are left to themselves.

    Attributes:
        stuck: those that have not ended in time, and still run.
    """

    def __init__(self) -> None:
        self.stuck = 0

    async def run(self, work: Callable[[], Result], seconds: float = READ) -> Result:
        """Run work in a thread of its own.

        Raises:
            StuckReadError: it did not end in time, or too many others are stuck.
        """
        if self.stuck >= _MOST_STUCK:
            raise StuckReadError(f"{self.stuck} reads of the policy's folder do not end; check its file system")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        late = False

        def settle(result: Result | None, error: BaseException | None) -> None:
            if late:
                self.stuck -= 1
            elif future.done():
                return
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type] # None only where the work returns it

        def run() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as caught:  # noqa: BLE001 - it belongs to whoever waits
                error = caught
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(settle, result, error)

        threading.Thread(target=run, name="files", daemon=True).start()
        await asyncio.wait((future,), timeout=seconds)
        if not future.done():
            late = True
            self.stuck += 1
            raise StuckReadError(f"reading the policy's folder does not end within {seconds:.0f} s")
        return future.result()
