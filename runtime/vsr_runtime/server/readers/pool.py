"""The server's side: reader processes, started as needed, used by one request at a time, and killed when late."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import NeedSignals
from vsr_runtime.decision.request.response_events import NeedDetections, ResponseError
from vsr_runtime.log import log
from vsr_runtime.server.clients import UNKNOWN, FairShares
from vsr_runtime.server.readers.frames import receive, send
from vsr_runtime.server.readers.messages import Done, Order, Policy, StartReader

MAX_READERS = 4
"""Reader processes of a server. Half of them may wait for models while the others read."""
_SHARE = MAX_READERS - 1
"""Readers of one client at a time: the last one is for others."""
_START = 30.0
"""Seconds for the start of a reader; a policy may have to be loaded first."""
_END = 5.0
"""Seconds for the end of the process that starts readers, once its socket is closed."""
_PAUSE = 0.1
"""Seconds after a failed start before another is tried."""
_FORKED = "linux"


class ReaderEndedError(Exception):
    """The reader process has ended without an answer. ``memory`` is whether it took too much of it."""

    def __init__(self, *, memory: bool) -> None:
        super().__init__("the reader process has ended")
        self.memory = memory


class _Reader:
    """One reader process. Killing it is safe even if its number was given to another process meanwhile."""

    def __init__(self, key: int, process: int, connection: socket.socket) -> None:
        self.key = key
        self.process = process
        self.connection = connection
        self.client = UNKNOWN
        self._handle = os.pidfd_open(process)

    def kill(self) -> None:
        """End the process, whatever it does."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for its answer

    def close(self) -> None:
        """Release its socket, so that it ends when it waits for work."""
        self.connection.close()
        os.close(self._handle)


class ReaderPool:
    """The reader processes of a server.

    Args:
        control: the socket of the process that starts readers.
        starter: that process, if it is not a fork.
    """

    def __init__(self, control: socket.socket, starter: subprocess.Popen[bytes] | None = None) -> None:
        self._control = control
        self._starter = starter
        self._changed = threading.Condition()
        self._idle: list[_Reader] = []
        self._leased = FairShares()
        self._count = 0
        self._waiting = 0
        self._wanted: deque[Policy] = deque()
        self._sent: set[int] = set()
        self._closed = False
        self._thread: threading.Thread | None = None

    @classmethod
    def start(cls) -> ReaderPool | None:
        """Start the process that starts readers. None if the platform has no such processes.

        Call it before there is any thread: the process is forked, so that it starts at once.
        """
        if sys.platform != _FORKED or not hasattr(os, "pidfd_open"):
            return None
        return cls(_forked_process())

    @property
    def processes(self) -> int:
        """Readers that run or are started."""
        return self._count

    def prepare(self, policy: Policy) -> None:
        """Start a reader for a policy, so that the first request does not wait for it."""
        with self._changed:
            self._want(policy)

    def session(self, policy: Policy, guards: Mapping[str, Guard], client: bytes = UNKNOWN) -> Session:
        """Return a session for one body of a client."""
        return Session(self, policy, guards, client)

    def close(self) -> None:
        """End all readers."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for reader in idle:
            reader.close()
        self._end_starter()

    def lease(self, policy: Policy, client: bytes, until: float) -> _Reader:
        """Return an idle reader of a policy, for a client that does not have its share of them.

        Raises:
            TimeoutError: there is none by this time of the monotonic clock.
        """
        with self._changed:
            self._waiting += 1
            try:
                wanted = False
                while not self._closed:
                    may = self._leased.used(client) < _SHARE
                    found = next((reader for reader in self._idle if may and reader.key == policy.key), None)
                    if found is not None:
                        self._idle.remove(found)
                        found.client = client
                        self._leased.add(client, 1)
                        return found
                    if may and not wanted:
                        wanted = True
                        self._want(policy)
                    if not self._changed.wait(until - monotonic()):
                        break
            finally:
                self._waiting -= 1
        raise TimeoutError

    def give_back(self, reader: _Reader) -> None:
        """Take a reader back that waits for work."""
        with self._changed:
            self._leased.add(reader.client, -1)
            if self._add(reader):
                return
            self._count -= 1
        reader.close()

    def discard(self, reader: _Reader) -> None:
        """Forget a reader that has ended or was killed."""
        reader.close()
        with self._changed:
            self._leased.add(reader.client, -1)
            self._count -= 1
            self._changed.notify_all()

    def _add(self, reader: _Reader) -> bool:
        """Add an idle reader, unless all are ended."""
        if not self._closed:
            self._idle.append(reader)
            self._changed.notify_all()
        return not self._closed

    def _want(self, policy: Policy) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="readers", daemon=True)
            self._thread.start()
        self._wanted.append(policy)
        self._changed.notify_all()

    def _run(self) -> None:
        """Start the wanted readers, one after another."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._wanted and self._may_start()))
                if self._closed:
                    return
                policy = self._wanted.popleft()
                if any(reader.key == policy.key for reader in self._idle):
                    continue
                self._count += 1
            reader = self._started(policy)
            with self._changed:
                if reader is not None and self._add(reader):
                    continue
                self._count -= 1
                if reader is not None:
                    reader.close()
                    continue
                self._changed.wait_for(lambda: self._closed, _PAUSE)
                if self._waiting:
                    self._wanted.append(policy)

    def _may_start(self) -> bool:
        """Return whether another reader may run; an idle one of another policy is ended for it."""
        if self._count < MAX_READERS:
            return True
        other = next((reader for reader in self._idle if reader.key != self._wanted[0].key), None)
        if other is None:
            return False
        self._idle.remove(other)
        self._count -= 1
        other.close()
        return True

    def _started(self, policy: Policy) -> _Reader | None:
        source = None if policy.key in self._sent else policy.source
        try:
            until = monotonic() + _START
            send(self._control, StartReader(policy.key, source), until=until)
            answer, _ = receive(self._control, until=until)
            if answer.process is None:
                log("reader_failed", reason=answer.reason)
                self._sent.discard(policy.key)
                return None
            _, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
            self._sent.add(policy.key)
            return _Reader(policy.key, answer.process, socket.socket(fileno=descriptors[0]))
        except (OSError, EOFError, ValueError) as error:
            if not self._closed:
                log("reader_failed", reason=f"{type(error).__name__}: {error}")
                self._restart()
            return None

    def _restart(self) -> None:
        """Start another process that starts readers. The server has threads now, so it is not forked."""
        self._end_starter()
        self._sent.clear()
        self._control, self._starter = spawned_process()

    def _end_starter(self) -> None:
        self._control.close()
        if self._starter is not None:
            with suppress(subprocess.TimeoutExpired):
                self._starter.wait(_END)


def spawned_process(*command: str) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start the process that starts readers as a new program, and return its socket."""
    ours, theirs = socket.socketpair()
    program = command or ("-m", "vsr_runtime.server.readers.process")
    with theirs:
        arguments = (sys.executable, *program, str(theirs.fileno()))
        return ours, subprocess.Popen(arguments, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)  # noqa: S603 - ours


def _forked_process() -> socket.socket:
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        try:
            ours.close()
            from vsr_runtime.server.readers.process import main  # noqa: PLC0415 - only that process needs it

            main(theirs)
        finally:
            os._exit(1)
    theirs.close()
    return ours


class Session:
    """One body at a reader. All methods but `close` are for threads; `close` never waits."""

    def __init__(self, pool: ReaderPool, policy: Policy, guards: Mapping[str, Guard], client: bytes) -> None:
        self._pool = pool
        self._policy = policy
        self._guards = guards
        self._client = client
        self._lock = threading.Lock()
        self._reader: _Reader | None = None
        self._working = False
        self._closed = False

    def ask(self, order: Order, body: bytes, until: float) -> Any:  # noqa: ANN401 - an action of a request or a response
        """Return the next action.

        Raises:
            ReaderEndedError: the reader has ended, because its memory was used up or for another reason.
            ResponseError: the response must end with an error.
            RuntimeError: the state machine failed.
            TimeoutError: there is no action by this time of the monotonic clock, or the session was closed.
        """
        reader = self._begin(until)
        try:
            send(reader.connection, order, body, until)
            answer, _ = receive(reader.connection, self._guards, until)
        except TimeoutError:
            self._end(reader)
            raise
        except (OSError, EOFError) as error:
            self._end(reader)
            if self._closed:
                raise TimeoutError from error
            raise ReaderEndedError(memory=False) from error
        if isinstance(answer, Done):
            self._done(reader, answer)
            return answer.action
        if answer.why == "memory":
            self._end(reader)
            raise ReaderEndedError(memory=True)
        self._done(reader, Done(None))
        raise ResponseError(answer.text) if answer.why == "response" else RuntimeError(answer.text)

    def close(self) -> None:
        """End the work. A reader that is still at it, or waits for results, is killed."""
        with self._lock:
            self._closed = True
            reader, working = self._reader, self._working
            if reader is None:
                return
            reader.kill()
            if not working:
                self._reader = None
        if not working:
            self._pool.discard(reader)

    def _begin(self, until: float) -> _Reader:
        with self._lock:
            if self._closed:
                raise TimeoutError
            if self._reader is not None:
                self._working = True
                return self._reader
        reader = self._pool.lease(self._policy, self._client, until)
        with self._lock:
            if not self._closed:
                self._reader, self._working = reader, True
                return reader
        self._pool.give_back(reader)
        raise TimeoutError

    def _done(self, reader: _Reader, answer: Done) -> None:
        """Keep the reader if it waits for results, otherwise give it back."""
        waits = isinstance(answer.action, NeedSignals | NeedDetections)
        with self._lock:
            self._working = False
            closed = self._closed
            if closed or not waits:
                self._reader = None
        if closed or answer.last:
            reader.kill()
            self._pool.discard(reader)
        elif not waits:
            self._pool.give_back(reader)

    def _end(self, reader: _Reader) -> None:
        """Kill the reader, whatever it does."""
        with self._lock:
            self._reader = None
        reader.kill()
        self._pool.discard(reader)
