"""Compare a folder on disk with the new tree and with the files of earlier compiles. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vsr_compiler.deploy.output import folders
from vsr_compiler.deploy.output.folders import OCCUPIED, BlockedError, Folder
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.tree import folders as above


@dataclass(frozen=True, slots=True)
class Disk:
    """The state of the paths on disk.

    Attributes:
        digests: sha256 by path; OCCUPIED for what is not a regular file. Absent paths are missing.
        blocking: Files where a path needs a folder.
        problems: VSR503 and VSR500.
    """

    digests: dict[str, str] = field(default_factory=dict)
    blocking: set[str] = field(default_factory=set)
    problems: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a write.

    Attributes:
        write: Paths to write.
        remove: Paths to remove.
        emptied: Folders that only removed files needed, innermost first. An interrupted compile may have emptied some.
        unchanged: Paths whose content is right already.
        problems: Reasons not to write at all.
    """

    write: tuple[str, ...]
    remove: tuple[str, ...]
    emptied: tuple[str, ...]
    unchanged: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


def read_disk(folder: Folder | None, paths: Iterable[str]) -> Disk:
    """Return the state of the paths. `folder` is None if it does not exist yet."""
    disk = Disk()
    groups: dict[str, list[str]] = defaultdict(list)
    for path in sorted(paths):
        groups[path.rpartition("/")[0]].append(path)
    if folder is None:
        return disk
    for parent, members in groups.items():
        try:
            with folders.opened(folder, parent) as here:
                if here is not None:
                    _read_folder(here, members, disk)
        except BlockedError as blocked:
            disk.blocking.add(blocked.path)
        except CompileError as error:
            disk.problems.extend(error.diagnostics)
    return disk


def _read_folder(here: Folder, paths: list[str], disk: Disk) -> None:
    for path in paths:
        try:
            digest = folders.digest(here, path.rpartition("/")[2])
        except CompileError as error:
            disk.problems.extend(error.diagnostics)
            continue
        if digest is not None:
            disk.digests[path] = digest


def plan(
    disk: Disk, label: str, expected: Mapping[str, str], owned: Mapping[str, frozenset[str]], *, force: bool
) -> Plan:
    """Return the steps that turn the folder into the new tree.

    Args:
        disk: The state of the folder.
        label: The folder as shown in messages.
        expected: sha256 by path of the new tree.
        owned: By path, the contents that a compile of ours has written or was about to write.
        force: Whether edited and foreign files may be overwritten.
    """
    write, unchanged = [], []
    problems = list(disk.problems)
    remove = [path for path in sorted(owned.keys() - expected.keys()) if disk.digests.get(path, OCCUPIED) != OCCUPIED]
    kept = {parent for path in expected for parent in above(path)}
    emptied = {parent for path in owned.keys() - expected.keys() for parent in above(path)} - kept
    problems += [
        _edited(label, path, "was edited by hand, and the policy no longer produces it")
        for path in remove
        if not force and disk.digests[path] not in owned[path]
    ]
    for path, digest in expected.items():
        now = disk.digests.get(path)
        if now == digest:
            unchanged.append(path)
            continue
        write.append(path)
        if now == OCCUPIED:
            if path not in emptied:
                problems.append(_in_the_way(label, path, "is not a regular file, but must be one"))
        elif now is not None and not force and now not in owned.get(path, frozenset()):
            problems.append(_edited(label, path, "was edited by hand") if path in owned else _foreign(label, path))
    needed = {parent for path in write for parent in above(path)}
    problems += [
        _in_the_way(label, path, "is a file, but must be a folder")
        for path in sorted(disk.blocking & needed - set(remove))
    ]
    return Plan(tuple(write), tuple(remove), tuple(sorted(emptied, reverse=True)), tuple(unchanged), tuple(problems))


def _edited(label: str, path: str, why: str) -> Diagnostic:
    hint = "Make the change in the policy instead, and pass --force to overwrite the file."
    return Diagnostic("VSR501", f"{label}/{path} {why}", Span(f"{label}/{path}"), hint)


def _foreign(label: str, path: str) -> Diagnostic:
    hint = "Move it away, or pass --force to overwrite it."
    return Diagnostic("VSR501", f"{label}/{path} was not written by vsr-compile", Span(f"{label}/{path}"), hint)


def _in_the_way(label: str, path: str, why: str) -> Diagnostic:
    return Diagnostic("VSR500", f"{label}/{path} {why}", Span(f"{label}/{path}"), "Move it away.")
