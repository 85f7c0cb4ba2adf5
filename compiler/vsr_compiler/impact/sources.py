"""Where traffic is: files of this machine, standard input, and files of object stores by their URI."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

MOST_FILES = 100_000
"""Maximum files of a folder in an object store."""
BUFFER = 1 << 20


class TrafficError(Exception):
    """Traffic cannot be read or decided. The message names the file."""


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A file of an object store, such as ``s3://bucket/key``, read by Arrow's file systems.

    Attributes:
        uri: The URI by which the user names it, or the folder that contains it.
        path: Its path in the file system of the URI.
        size: Its bytes.
        changed: When it was changed, in nanoseconds since 1970; 0 if the store does not say so.
    """

    uri: str
    path: str
    size: int
    changed: int = 0

    def __str__(self) -> str:
        """Return a name for reports, without credentials and options."""
        return f"{urlsplit(self.uri).scheme}://{self.path}"

    def open(self) -> IO[bytes]:
        """Open it for reading from the beginning on.

        Raises:
            OSError: It cannot be read.
        """
        system, _ = _system(self.uri)
        stream = system.open_input_stream(self.path, compression=None, buffer_size=BUFFER)
        return cast("IO[bytes]", io.BufferedReader(cast("io.RawIOBase", stream), BUFFER))


Source = Path | StoreFile


def sources(names: Iterable[str]) -> list[Source]:
    """Return the files of some names. A URI that ends with ``/`` is a folder: all files below it, by name.

    Raises:
        TrafficError: There is no such file, or a folder has more than 100,000.
        ModuleNotFoundError: A name is a URI, and the extra ``ray`` is not installed.
    """
    found: list[Source] = []
    for name in names:
        found += _stored(name) if is_uri(name) else [Path(name)]
    return found


def is_uri(name: str) -> bool:
    """Return whether a name of traffic is a URI."""
    return "://" in name


def size_of(source: Source) -> int:
    """Return the bytes of a file; 0 for standard input."""
    if isinstance(source, StoreFile):
        return source.size
    return source.stat().st_size if source.is_file() else 0


def identity(source: Source) -> tuple[str, int, int] | None:
    """Return what changes with a file's content: its name, size and time; None for standard input."""
    if isinstance(source, StoreFile):
        return str(source), source.size, source.changed
    return (str(source), source.stat().st_size, source.stat().st_mtime_ns) if source.is_file() else None


def _stored(uri: str) -> list[Source]:
    """Return the files of a URI."""
    from pyarrow import fs  # noqa: PLC0415 - needs the extra

    parts = urlsplit(uri)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    try:
        system, path = _system(uri)
        if parts.path.endswith("/"):
            entries = system.get_file_info(fs.FileSelector(path, recursive=True))
        else:
            entries = [system.get_file_info(path)]
    except (OSError, ValueError, NotImplementedError) as error:
        reason = _first_line(error).replace(uri, shown)
        raise TrafficError(f"{shown} cannot be read: {reason}") from None
    files = [entry for entry in entries if entry.is_file]
    if not files:
        raise TrafficError(f"{shown}: there is no such file")
    if len(files) > MOST_FILES:
        raise TrafficError(f"{shown} has more than {MOST_FILES:,} files: name a smaller folder")
    return [
        StoreFile(uri, entry.path, entry.size or 0, entry.mtime_ns or 0)
        for entry in sorted(files, key=lambda entry: str(entry.path))
    ]


def _system(uri: str) -> tuple[Any, str]:
    """Return the file system of a URI, and its path there."""
    from pyarrow import fs  # noqa: PLC0415 - needs the extra

    system, path = fs.FileSystem.from_uri(uri)
    return system, str(path)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
