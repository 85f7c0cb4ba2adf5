"""Releases for which files of an output folder were compiled, according to its lock."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.lock import Lock, parse
from vsr_compiler.manifests.tree import LOCK

MAX_LOCK = 16 * 1024 * 1024


@lru_cache(maxsize=4096)
def releases_of_file(name: str) -> Mapping[str, str]:
    """Return the release of each project for which a file was compiled; empty for files outside output folders."""
    path = Path(name).absolute()
    folder, lock = (None, None) if name == "-" else _lock_above(path.parent)
    return {} if folder is None or lock is None else lock.releases(path.relative_to(folder).as_posix())


def is_output(path: Path) -> bool:
    """Whether a file is in an output folder, which has a lock."""
    return any((parent / LOCK).is_file() for parent in path.resolve().parents)


@lru_cache(maxsize=4096)
def _lock_above(folder: Path) -> tuple[Path, Lock] | tuple[None, None]:
    path = folder / LOCK
    if not path.is_file():
        return (None, None) if folder.parent == folder else _lock_above(folder.parent)
    try:
        with path.open("rb") as file:
            return folder, parse(file.read(MAX_LOCK), str(path))
    except (OSError, CompileError):
        return None, None
