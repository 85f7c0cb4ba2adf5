"""Reads files of records: CSV, JSON Lines, one JSON array, and Parquet if pyarrow is installed. Sizes are bounded."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

MAX_LINE = 8 << 20
"""Maximum bytes of a line, and of a field of CSV."""
MAX_BYTES = 2 << 30
"""Maximum bytes of a file, unpacked."""
MAX_DOCUMENT = 256 << 20
"""Maximum bytes of a file that is one JSON array."""
Record = dict[str, Any]


class TableError(Exception):
    """A file cannot be used. The message has the file, and the line where there is one."""


def records(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield the records of a file, each with its place. The form is that of the file's name, ``.gz`` aside.

    Raises:
        TableError: The file cannot be read, is too large, or has a record of another form.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    form = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    reader = {".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".json": _json, ".parquet": _parquet}.get(form)
    if reader is None:
        raise TableError(f"{path}: the name does not end with .csv, .jsonl, .json or .parquet")
    try:
        yield from reader(path)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise TableError(f"{path}: it cannot be read: {error}") from None


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    size = 0
    with _opened(path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            size += len(line)
            if len(line) > MAX_LINE:
                raise TableError(f"{path}:{number}: the line has more than {MAX_LINE >> 20} MiB")
            if size > MAX_BYTES:
                raise TableError(f"{path}:{number}: the file has more than {MAX_BYTES >> 30} GiB")
            yield number, line


def _jsonl(path: Path) -> Iterator[tuple[str, Record]]:
    for number, line in _lines(path):
        if line.strip():
            yield f"{path}:{number}", _object(f"{path}:{number}", line)


def _object(place: str, text: bytes) -> Record:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{place}: it is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise TableError(f"{place}: it is not an object")
    return value


def _json(path: Path) -> Iterator[tuple[str, Record]]:
    with _opened(path) as stream:
        text = stream.read(MAX_DOCUMENT + 1)
    if len(text) > MAX_DOCUMENT:
        raise TableError(f"{path}: it has more than {MAX_DOCUMENT >> 20} MiB: write a record a line (.jsonl)")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{path}: it is not JSON: {error}") from None
    if not isinstance(value, list):
        raise TableError(f"{path}: it is not an array of objects")
    for number, item in enumerate(value, 1):
        if not isinstance(item, dict):
            raise TableError(f"{path}: item {number} is not an object")
        yield f"{path}: item {number}", item


def _csv(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield the rows of a CSV file with a header. A row can have several lines; its place is the last one."""
    csv.field_size_limit(MAX_LINE)
    rows = csv.reader(_text(path), strict=True)
    try:
        header = next(rows, [])
        if len(set(header)) != len(header):
            raise TableError(f"{path}:1: two columns have the same name")
        for row in rows:
            place = f"{path}:{rows.line_num}"
            if row and len(row) != len(header):
                raise TableError(f"{place}: {len(row)} fields instead of {len(header)}")
            if row:
                yield place, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise TableError(f"{path}:{rows.line_num}: it is not CSV: {error}") from None


def _text(path: Path) -> Iterator[str]:
    for number, line in _lines(path):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise TableError(f"{path}:{number}: it is not UTF-8") from None


def _parquet(path: Path) -> Iterator[tuple[str, Record]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError:
        raise TableError(f"{path}: Parquet needs pyarrow: pip install 'vsr-compile[ray]'") from None
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", row
    except ArrowException as error:
        raise TableError(f"{path}: it is not Parquet: {error}") from None
