"""Writes the audit log: a thread appends records to files that are rotated by size.

Records are written at most 0.2 s after their decisions, and synchronised to the disk at most a second later. If writing
fails, or the disk is too slow, records wait; new requests are refused until they are written.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.audit.chain import Head, sealed

ROTATE = 64 << 20
"""Bytes from which a file is followed by the next one."""
MAX_WAITING = 8192
"""Records that wait. From half of it new requests are refused; the rest is for the 4,096 that may be open."""
BATCH = 1024
PAUSE, SYNC, RETRY, EXPORT = 0.2, 1.0, 1.0, 60.0
"""Seconds between two writes, synchronisations, attempts after an error, and log lines with the chain's end."""
LAST = 5.0
"""Seconds for the last records when the process ends."""
Record = tuple[float, Mapping[str, object]]


class AuditLog:
    """One chain of records. Each process has its own.

    Args:
        folder: where its files are.
        rotate: bytes from which the next file begins.
        refuse: whether requests are refused while records cannot be written.
        name: the name of the chain; by default the host, the time and the process.

    Attributes:
        lost: records that were dropped.
        written: records that were written.
    """

    def __init__(self, folder: Path, *, rotate: int = ROTATE, refuse: bool = True, name: str | None = None) -> None:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self._head = Head(name or f"{_host()}-{now}-{os.getpid()}")
        self._folder, self._rotate, self._refuse = folder, rotate, refuse
        self._waiting: deque[Record] = deque()
        self._changed = threading.Condition()
        self._descriptor: int | None = None
        self._size, self._file = 0, 0
        self._exported, self._next_export = 0, 0.0
        self._closing = self._failing = False
        self.lost = self.written = 0
        try:
            self._open()
        except OSError as error:
            raise UserError(f"{folder} cannot be written ({error.strerror}); give --audit a writable folder") from None
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def refuses(self) -> bool:
        """Whether requests have to be refused, because their records might be lost."""
        return self._refuse and (self._failing or len(self._waiting) >= MAX_WAITING // 2)

    def put(self, fields: Mapping[str, object]) -> None:
        """Add a record, or drop and count it. Never waits."""
        if len(self._waiting) >= MAX_WAITING:
            self.lost += 1
        else:
            self._waiting.append((time.time(), fields))

    def close(self) -> None:
        """Write what waits, and export the end of the chain."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(LAST)

    def _run(self) -> None:
        synced = time.monotonic()
        dirty = False
        while True:
            with self._changed:
                if not self._closing:
                    self._changed.wait(RETRY if self._failing else PAUSE)
                closing = self._closing
            try:
                while self._waiting:
                    self._append()
                    dirty = True
                now = time.monotonic()
                if dirty and (closing or now - synced >= SYNC):
                    self._sync()
                    synced, dirty = now, False
            except OSError as error:
                self._report(error)
            else:
                self._recovered()
            if closing:
                self._end()
                return
            if time.monotonic() >= self._next_export:
                self._export()

    def _append(self) -> None:
        """Write a batch. What was written of it by half is cut off again, so that no line is torn."""
        batch = [self._waiting[number] for number in range(min(len(self._waiting), BATCH))]
        head, lines = self._head, []
        for now, fields in batch:
            moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
            line, head = sealed(head, {"time": moment, **fields})
            lines.append(line)
        data = b"".join(lines)
        if self._descriptor is None or self._size >= self._rotate:
            self._next_file()
        _write(self._fd, data, self._size)
        self._size += len(data)
        self._head = head
        self.written += len(batch)
        for _ in batch:
            self._waiting.popleft()

    @property
    def _fd(self) -> int:
        if self._descriptor is None:
            raise OSError(0, "no file is open")
        return self._descriptor

    def _next_file(self) -> None:
        if self._descriptor is not None:
            self._sync()
            os.close(self._descriptor)
            self._descriptor = None
            self._export()
        self._open()

    def _open(self) -> None:
        path = self._folder / f"{self._head.chain}.{self._file + 1:06d}.jsonl"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file, self._size = self._file + 1, 0

    def _sync(self) -> None:
        os.fsync(self._fd)

    def _report(self, error: OSError) -> None:
        if not self._failing:
            log("audit_failed", error=error.strerror or type(error).__name__, waiting=len(self._waiting))
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            log("audit_recovered", lost=self.lost)
        self._failing = False

    def _export(self) -> None:
        """Log the end of the chain: whoever keeps the log finds out whether records are missing there."""
        self._next_export = time.monotonic() + EXPORT
        if self._head.number != self._exported:
            self._exported = self._head.number
            log("audit_head", chain=self._head.chain, number=self._head.number, hash=self._head.hash)

    def _end(self) -> None:
        self.lost += len(self._waiting)
        self._export()
        if self._descriptor is not None:
            os.close(self._descriptor)


def _write(descriptor: int, data: bytes, offset: int) -> None:
    rest, position = memoryview(data), offset
    try:
        while rest:
            count = os.pwrite(descriptor, rest, position)
            rest, position = rest[count:], position + count
    except OSError:
        os.ftruncate(descriptor, offset)
        raise


def _host() -> str:
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in socket.gethostname())
    return name[:63] or "host"
