"""A child process: its log is read line by line, and it is stopped reliably."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence

TAIL = 20
_STOP_TIMEOUT = 15.0
_LAST = 5.0
"""Seconds for reading the last lines of a dead process; a child of its own may keep the log open."""


class Process:
    """A running program whose stderr goes line by line to a function; the last lines are kept.

    Args:
        name: its name in messages.
        command: the program and its arguments.
        on_line: called for each line of its log, in a thread.
    """

    def __init__(self, name: str, command: Sequence[str], on_line: Callable[[str], None]) -> None:
        self.name = name
        self._tail: deque[str] = deque(maxlen=TAIL)
        self._on_line = on_line
        self._popen = subprocess.Popen(  # noqa: S603 - our own runtime, and the Envoy of the package
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal goes to the sandbox only, which stops its parts in order
        )
        self._reader = threading.Thread(target=self._read, name=f"{name}-log", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def exit_report(self) -> str:
        """The exit code and the last lines of the log, as one line."""
        self._reader.join(_LAST)
        return f"{self.name} stopped by itself with exit code {self.exit_code}; {self.last_lines()}"

    def last_lines(self) -> str:
        """The last lines of the log, as one line."""
        lines = " | ".join(tuple(self._tail))
        return f"its last lines: {lines}" if lines else "it wrote nothing"

    def stop(self) -> None:
        """Terminate it, and kill it if that does not help. Returns when it is gone."""
        if self._popen.poll() is None:
            self._popen.terminate()
        try:
            self._popen.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join()
        if self._popen.stderr:
            self._popen.stderr.close()

    def _read(self) -> None:
        for line in self._popen.stderr or ():
            stripped = line.rstrip("\n")
            self._tail.append(stripped)
            self._on_line(stripped)
