"""Reads files of traffic in chunks of bounded size."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from vsr_compiler.impact.sources import Source, StoreFile, TrafficError, size_of

STDIN = Path("-")
CHUNK_LINES = 256
CHUNK_BYTES = 4 << 20
MAX_LINE = 48 << 20
"""Maximum bytes of a line; the largest body that a router accepts is smaller."""
MAX_DOCUMENT = 64 << 20
"""Maximum bytes of a file that is one JSON document instead of one a line."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of one file.

    Attributes:
        number: The number of the chunk in its file.
        file: The number of the file.
        line: The number of the first line, from 1.
        lines: The lines; None for one that is too long.
        end: The bytes of all files up to the end of this chunk, as they are on disk where that is known.
    """

    number: int
    file: int
    line: int
    lines: tuple[bytes | None, ...]
    end: int = 0


def chunks(sources: Sequence[Source], begin: tuple[int, int] = (0, 0)) -> Iterator[Chunk]:
    """Yield the chunks of some files, in order. The same files give the same chunks.

    Args:
        sources: The files.
        begin: The file and the chunk in it to begin with.

    Raises:
        TrafficError: A file cannot be read, or is one JSON document of more than 64 MiB.
    """
    file, first = begin
    before = total_bytes(sources[:file])
    for index, source in enumerate(sources[file:], file):
        for chunk in chunks_of(source, index, before):
            if index > file or chunk.number >= first:
                yield chunk
        before += size_of(source)


def chunks_of(source: Source, index: int, before: int) -> Iterator[Chunk]:
    """Yield the chunks of one file.

    Args:
        source: The file.
        index: Its number.
        before: The bytes of all files before it.

    Raises:
        TrafficError: It cannot be read, or is one JSON document of more than 64 MiB.
    """
    number, first, lines, size = 0, 1, list[bytes | None](), 0
    for line, position in _lines(source):
        lines.append(line)
        size += len(line or b"")
        if len(lines) >= CHUNK_LINES or size >= CHUNK_BYTES:
            yield Chunk(number, index, first, tuple(lines), before + position)
            number, first, lines, size = number + 1, first + len(lines), [], 0
    if lines:
        yield Chunk(number, index, first, tuple(lines), before + size_of(source))


def total_bytes(sources: Sequence[Source]) -> int:
    """Return the size of some files; 0 for standard input."""
    return sum(map(size_of, sources))


def _lines(path: Source) -> Iterator[tuple[bytes | None, int]]:
    """Yield each line of a file that is not blank, and where it ends. A file may be gzipped, or one JSON document."""
    try:
        with _opened(path) as (raw, stream):
            first = stream.readline(MAX_LINE + 1)
            if not _is_json(first) and (records := _document(path, first, stream)) is not None:
                yield from ((record, _position(raw)) for record in records)
                return
            line = first
            while line:
                if len(line) > MAX_LINE:
                    _skip(stream)
                    yield None, _position(raw)
                elif line.strip():
                    yield line, _position(raw)
                line = stream.readline(MAX_LINE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise TrafficError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


class _opened:  # noqa: N801 - used as a function
    """A file as a stream of bytes, and the one below it by which progress is measured."""

    def __init__(self, path: Source) -> None:
        self._raw: IO[bytes]
        if isinstance(path, StoreFile):
            self._raw = path.open()
        else:
            self._raw = sys.stdin.buffer if path == STDIN else path.open("rb")
        self._own = path != STDIN

    def __enter__(self) -> tuple[IO[bytes], IO[bytes]]:
        peek = getattr(self._raw, "peek", None)
        zipped = peek is not None and peek(len(_GZIP))[: len(_GZIP)] == _GZIP
        return self._raw, cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw)) if zipped else self._raw

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._raw.close()


def _position(raw: IO[bytes]) -> int:
    try:
        return raw.tell()
    except OSError:
        return 0


def _skip(stream: IO[bytes]) -> None:
    """Read to the end of a line that is too long."""
    while (more := stream.readline(1 << 20)) and not more.endswith(b"\n"):
        pass


def _is_json(line: bytes) -> bool:
    if not line.strip() or len(line) > MAX_LINE:
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _document(path: Source, first: bytes, stream: IO[bytes]) -> list[bytes] | None:
    """Return the records of a file that is one JSON document, one a line; None if it is not one."""
    if first.strip()[:1] not in {b"{", b"["}:
        return None
    rest = stream.read(MAX_DOCUMENT + 1 - len(first))
    if len(first) + len(rest) > MAX_DOCUMENT:
        raise TrafficError(f"{path} is one JSON document of more than {MAX_DOCUMENT >> 20} MiB: write a record a line")
    try:
        value = json.loads(first + rest)
    except (ValueError, RecursionError) as error:
        raise TrafficError(f"{path} is neither JSON Lines nor a JSON document: {error}") from None
    records = value if isinstance(value, list) else [value]
    return [json.dumps(record).encode() for record in records]
