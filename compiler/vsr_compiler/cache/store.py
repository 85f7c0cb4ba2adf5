"""Small JSON documents by key, in a folder that belongs to the user and that only the user can write.

Documents are data, never code. One that is broken, too large, or could have been written by another user is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_BYTES = 1 << 20
"""Size of a document; a larger one is not kept."""
MAX_DOCUMENTS = 128
"""Documents that are kept; when there are more, the oldest half is removed."""
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_FAULTS = (OSError, ValueError, RecursionError, TypeError)


def read(folder: Path, key: str) -> Any:  # noqa: ANN401 - the caller checks its shape
    """Return the document of a key; None if there is none to trust."""
    with contextlib.suppress(*_FAULTS), _opened(folder) as place:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(key, flags, dir_fd=place), "rb") as file:  # noqa: PTH123 - relative to an open folder
            if not (stat.S_ISREG(os.fstat(file.fileno()).st_mode) and _is_ours(file.fileno())):
                return None
            data = file.read(MAX_BYTES + 1)
        digest, _, text = data.partition(b"\n")
        if len(data) <= MAX_BYTES and digest == _digest(key, text):
            return json.loads(text)
    return None


def write(folder: Path, key: str, document: Any) -> None:  # noqa: ANN401 - any JSON value
    """Keep a document. Nothing happens where it cannot be kept."""
    with contextlib.suppress(*_FAULTS):
        text = json.dumps(document, separators=(",", ":")).encode()
        data = _digest(key, text) + b"\n" + text
        if len(data) > MAX_BYTES:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(folder) as place:
            _replace(place, key, data)
            _prune(place)


def _replace(place: int, key: str, data: bytes) -> None:
    """Write a file beside the old one and rename it, so that a reader sees one of the two."""
    fresh = f".{key}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):  # of a process that had the same id and was killed
        os.unlink(fresh, dir_fd=place)
    try:
        with open(os.open(fresh, flags, 0o600, dir_fd=place), "wb") as file:  # noqa: PTH123 - as above
            file.write(data)
        os.rename(fresh, key, src_dir_fd=place, dst_dir_fd=place)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh, dir_fd=place)


def _prune(place: int) -> None:
    names = os.listdir(place)
    if len(names) <= MAX_DOCUMENTS:
        return
    aged = sorted((os.stat(name, dir_fd=place, follow_symlinks=False).st_mtime_ns, name) for name in names)
    for _, name in aged[: len(aged) - MAX_DOCUMENTS // 2]:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=place)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Open the folder. Raises OSError if another user could write it."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not _is_ours(place):
            raise PermissionError(str(folder))
        yield place
    finally:
        os.close(place)


def _is_ours(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    return found.st_uid == os.geteuid() and not found.st_mode & _WRITABLE_BY_OTHERS


def _digest(key: str, text: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\n" + text).hexdigest().encode()
