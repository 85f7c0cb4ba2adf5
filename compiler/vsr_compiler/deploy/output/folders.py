"""Open folders by descriptor, one name at a time and never through a symbolic link, so that no path leads outside.

If a folder is replaced by a link after it was opened, the descriptor still refers to the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would block.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

OCCUPIED: Final = "not a regular file"  # in place of a digest, for a path that is a folder, pipe or socket


class BlockedError(Exception):
    """A file is where a folder is expected; `path` is relative to the folder where the walk began."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder: its descriptor, and its path as shown in messages."""

    fd: int
    label: str

    def at(self, path: str) -> str:
        """Return a path below the folder as shown in messages."""
        return f"{self.label}/{path}" if path else self.label

    def names(self) -> list[str]:
        """Return the names in the folder. Raises OSError."""
        return os.listdir(self.fd)  # noqa: PTH208  # pathlib knows no descriptors

    def failed(self, path: str, error: OSError) -> CompileError:
        """Return an error of the operating system as a diagnostic."""
        message = f"{self.at(path)} cannot be read or written: {error.strerror or error}"
        return CompileError([Diagnostic("VSR500", message, Span(self.at(path)), "Check the path and its permissions.")])


@contextlib.contextmanager
def opened(folder: Folder, path: str) -> Iterator[Folder | None]:
    """Open a folder below another and close it afterwards; yield None if it is absent, and `folder` itself for "".

    Raises:
        CompileError: VSR503 if the path contains a symbolic link, VSR500 if a system call fails.
        BlockedError: The path contains a file.
    """
    fds: list[int] = []
    try:
        here: int = folder.fd
        done: list[str] = []
        for name in path.split("/") if path else []:
            done.append(name)
            here = _enter(folder, here, "/".join(done))
            if here < 0:
                break
            fds.append(here)
        yield Folder(here, folder.at(path)) if here >= 0 else None
    finally:
        for fd in fds:
            os.close(fd)


def _enter(folder: Folder, fd: int, path: str) -> int:
    name = path.rpartition("/")[2]
    try:
        return os.open(name, _FOLDER, dir_fd=fd)
    except FileNotFoundError:
        return -1
    except OSError as error:
        # For a link the error is ELOOP or ENOTDIR, depending on the system; the file type is clearer.
        mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise linked(folder, path) from error
        if not stat.S_ISDIR(mode):
            raise BlockedError(path) from error
        raise folder.failed(path, error) from error


def linked(folder: Folder, path: str) -> CompileError:
    """Return the error for a symbolic link."""
    message = f"{folder.at(path)} is a symbolic link, and nothing is read or written through one"
    return CompileError([Diagnostic("VSR503", message, Span(folder.at(path)))])


@contextlib.contextmanager
def _file(folder: Folder, name: str) -> Iterator[tuple[int, int] | None]:
    """Yield descriptor and size of a regular file; None if absent, (-1, 0) if it is something else."""
    try:
        fd = os.open(name, _FILE, dir_fd=folder.fd)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        mode = os.stat(name, dir_fd=folder.fd, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise linked(folder, name) from error
        if not stat.S_ISSOCK(mode):
            raise folder.failed(name, error) from error
        yield -1, 0
        return
    try:
        status = os.fstat(fd)
        yield (fd, status.st_size) if stat.S_ISREG(status.st_mode) else (-1, 0)
    finally:
        os.close(fd)


def digest(folder: Folder, name: str) -> str | None:
    """Return the sha256 of a file in hex; None if absent, OCCUPIED for a folder or pipe. Raises CompileError."""
    with _file(folder, name) as opened_file:
        if opened_file is None:
            return None
        fd, _ = opened_file
        if fd < 0:
            return OCCUPIED
        try:
            with os.fdopen(os.dup(fd), "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise folder.failed(name, error) from error


def read(folder: Folder, name: str, limit: int) -> bytes | None:
    """Return the bytes of a file; None if absent.

    Raises:
        CompileError: VSR503 for a symbolic link, VSR005 for a file over ``limit`` bytes, VSR500 for anything else.
    """
    with _file(folder, name) as opened_file:
        if opened_file is None:
            return None
        fd, size = opened_file
        where = Span(folder.at(name))
        if fd < 0:
            raise CompileError(
                [Diagnostic("VSR500", f"{folder.at(name)} is not a regular file", where, "Move it away.")]
            )
        try:
            with os.fdopen(os.dup(fd), "rb") as stream:
                content = stream.read(limit + 1) if size <= limit else b""
        except OSError as error:
            raise folder.failed(name, error) from error
        if max(size, len(content)) > limit:
            raise CompileError([Diagnostic("VSR005", f"{folder.at(name)} is over {limit} bytes long", where)])
        return content
