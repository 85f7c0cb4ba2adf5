"""The system calls that change the disk, one method each, so that tests can make each of them fail.

Names are relative to an open folder. Symbolic links are never followed.
"""

from __future__ import annotations

import os

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SystemCalls:
    """The real system calls. Each raises OSError."""

    def create(self, name: str, folder: int) -> int:
        """Create a file and open it for writing; it must not exist."""
        return os.open(name, _CREATE, 0o666, dir_fd=folder)

    def write(self, fd: int, content: bytes) -> None:
        """Write all of the content."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]

    def fsync(self, fd: int) -> None:
        """Wait until a file or a folder is on disk."""
        os.fsync(fd)

    def syncfs(self, fd: int) -> bool:
        """Wait for the file system of ``fd``; far cheaper than many fsyncs. False if the call is unavailable."""
        import ctypes  # noqa: PLC0415  # costs 10 ms, and only large trees come here

        call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if call is None:
            return False
        if call(fd) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return True

    def link(self, name: str, folder: int, new: str, new_folder: int) -> None:
        """Create a hard link."""
        os.link(name, new, src_dir_fd=folder, dst_dir_fd=new_folder, follow_symlinks=False)

    def rename(self, name: str, folder: int, new: str, new_folder: int) -> None:
        """Rename a file, replacing a file of the new name."""
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=new_folder)

    def unlink(self, name: str, folder: int) -> None:
        """Remove a file."""
        os.unlink(name, dir_fd=folder)

    def mkdir(self, name: str, folder: int) -> None:
        """Create a folder."""
        os.mkdir(name, dir_fd=folder)

    def rmdir(self, name: str, folder: int) -> None:
        """Remove an empty folder."""
        os.rmdir(name, dir_fd=folder)


SYSTEM_CALLS = SystemCalls()
