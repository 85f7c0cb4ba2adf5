"""The system calls that change the disk, one method each, so that tests can make any one of them fail.

Names are relative to an open folder and never followed through a symbolic link.
"""

from __future__ import annotations

import os

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Ops:
    """The real system calls. Each raises OSError."""

    def create(self, name: str, folder: int) -> int:
        """Opens a new file for writing; it must not be there yet."""
        return os.open(name, _CREATE, 0o666, dir_fd=folder)

    def write(self, fd: int, content: bytes) -> None:
        """Writes all of it."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]

    def fsync(self, fd: int) -> None:
        """Waits until a file or a folder is on the disk."""
        os.fsync(fd)

    def syncfs(self, fd: int) -> bool:
        """Waits for the file system of ``fd``: far cheaper than many fsyncs. False where there is no such call."""
        import ctypes  # noqa: PLC0415  # costs 10 ms, and only large trees come here

        call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if call is None:
            return False
        if call(fd) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return True

    def link(self, name: str, folder: int, new: str, new_folder: int) -> None:
        """Gives a file a second name."""
        os.link(name, new, src_dir_fd=folder, dst_dir_fd=new_folder, follow_symlinks=False)

    def rename(self, name: str, folder: int, new: str, new_folder: int) -> None:
        """Moves a file over whatever file has the new name."""
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=new_folder)

    def unlink(self, name: str, folder: int) -> None:
        """Removes a file."""
        os.unlink(name, dir_fd=folder)

    def mkdir(self, name: str, folder: int) -> None:
        """Makes a folder."""
        os.mkdir(name, dir_fd=folder)

    def rmdir(self, name: str, folder: int) -> None:
        """Removes an empty folder."""
        os.rmdir(name, dir_fd=folder)


OS = Ops()
