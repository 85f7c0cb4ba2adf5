"""Look for addresses in what only kustomize itself reads, before it is started: nothing is ever fetched."""

from __future__ import annotations

from pathlib import Path

from vsr_compiler.verify.kustomization.fields import LOADED, is_remote, remote_entries
from vsr_compiler.verify.kustomization.loader import Loader, kustomization_in, normalised
from vsr_compiler.verify.kustomization.resource import RemoteError
from vsr_compiler.verify.manifest import as_mapping, as_strings

_MAX_ENTRIES = 1_000
_MAX_STEPS = 100_000


def refuse_addresses(loader: Loader, entry: str, folder: Path) -> None:
    """Look through the settings of a plugin, and the kustomizations that they lead to.

    Args:
        loader: Reads the files.
        entry: A file, a folder, or the settings themselves.
        folder: The folder of the kustomization.

    Raises:
        RemoteError: They name an address, or are too many to say.
    """
    waiting, seen = [(entry, folder)], set[Path]()
    while waiting:
        item, base = waiting.pop()
        if "\n" in item:
            _refuse([value for value, _ in loader.inline(item, base, None)], "a plugin")
            continue
        path = normalised(base / item)
        if is_remote(item) and not path.exists():
            raise RemoteError(item)
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        if len(seen) > _MAX_ENTRIES:
            raise RemoteError(f"more than {_MAX_ENTRIES:,} files of {entry}")
        if path.is_dir():
            waiting += _entries(loader, path)
        elif path.is_file():
            _refuse([value for value, _ in loader.documents(path)], item)


def _entries(loader: Loader, folder: Path) -> list[tuple[str, Path]]:
    home, result = kustomization_in(folder), list[tuple[str, Path]]()
    for value, _ in loader.documents(home) if home is not None else ():
        body = as_mapping(value)
        if remote := remote_entries(body, folder):
            raise RemoteError(remote[0])
        result += [(item, folder) for key in LOADED for item in as_strings(body.get(key))]
    return result


def _refuse(value: object, name: str) -> None:
    stack, steps = [value], _MAX_STEPS
    while stack:
        part = stack.pop()
        steps -= 1
        if steps < 0 or (isinstance(part, str) and is_remote(part)):
            raise RemoteError(f"an address in {name}")
        if isinstance(part, dict):
            stack += part.values()
        elif isinstance(part, list):
            stack += part
