"""Which releases an object is meant for: those of a named profile, or of the lock in the output that it lies in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from compiler.diagnostics import CompileError
from compiler.output.lock import parse
from compiler.releases import PROFILES
from compiler.verify.schema.catalog import Releases

LOCK = "vsr-compile.lock"
MAX_LOCK = 16 * 1024 * 1024


def of_profile(name: str) -> Releases:
    """The releases of a profile.

    Raises:
        KeyError: There is none of that name.
    """
    return PROFILES[name]


@lru_cache(maxsize=4096)
def of_file(name: str) -> Releases:
    """The releases that a file's output was compiled for; empty for files that are no output of ours."""
    return _of_folder(Path(name).absolute().parent) if name != "-" else {}


@lru_cache(maxsize=4096)
def _of_folder(folder: Path) -> Releases:
    lock = folder / LOCK
    if not lock.is_file():
        return {} if folder.parent == folder else _of_folder(folder.parent)
    try:
        with lock.open("rb") as file:
            return parse(file.read(MAX_LOCK), str(lock)).tables
    except (OSError, CompileError):
        return {}
