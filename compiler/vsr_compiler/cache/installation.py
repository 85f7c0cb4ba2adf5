"""What an answer depends on besides the policy: our program, the packages beside it, and the environment."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from vsr_schemas.version import VERSION

PACKAGES = ("vsr_compiler", "vsr_runtime", "vsr_schemas")


def fingerprint() -> str:
    """Return the sha256 of the version, the state of every file of ours, Python, and our environment variables.

    A folder of ``sys.path`` changes whenever a package in it is installed, upgraded or removed.

    Raises:
        OSError: The files cannot be listed.
    """
    here = os.getcwd()  # noqa: PTH109 - a text
    state: list[object] = [VERSION, sys.version, sys.executable, sys.flags, here]
    state += sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("VSR_"))
    for folder in sys.path:
        if os.path.isabs(folder) and folder != here and os.path.exists(folder):  # noqa: PTH117, PTH110 - texts
            found = os.stat(folder)  # noqa: PTH116 - as above
            state.append((folder, found.st_mtime_ns, found.st_ino))
    for name in PACKAGES:
        for root in _folders(name):
            state += [root, *_files(root)]
    return hashlib.sha256(repr(state).encode(errors="surrogateescape")).hexdigest()


def _folders(package: str) -> list[str]:
    found = importlib.util.find_spec(package)
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    if not folders or not all(Path(folder).is_dir() for folder in folders):
        raise FileNotFoundError(package)  # in an archive, for example
    return folders


def _files(root: str) -> Iterator[tuple[object, ...]]:
    """Yield path, size, times and number of every file, in order."""
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name == "__pycache__":
                    continue
                if entry.is_dir():
                    pending.append(entry.path)
                    continue
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
