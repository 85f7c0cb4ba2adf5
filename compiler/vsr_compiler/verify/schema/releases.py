"""Which releases an object is meant for: those of a named profile, or of the lock in the output that it lies in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.lock import Lock, parse
from vsr_compiler.releases import PROFILES
from vsr_compiler.verify.schema.catalog import Releases

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
    path = Path(name).absolute()
    folder, lock = (None, None) if name == "-" else _lock_above(path.parent)
    return {} if folder is None or lock is None else lock.releases(path.relative_to(folder).as_posix())


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
