"""Compares a folder on the disk with what a compile wants there and what earlier compiles left. Writes nothing."""

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
    """What stands at each path that was asked for.

    Attributes:
        found: sha256 by path; OCCUPIED for what is no regular file; absent paths are missing.
        blocking: Files that stand where a path needs a folder.
        problems: VSR503 and VSR500 met on the way.
    """

    found: dict[str, str] = field(default_factory=dict)
    blocking: set[str] = field(default_factory=set)
    problems: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to happen: paths to write, to remove, and to leave alone; and what stands against it.

    ``emptied`` are the folders that only removed files needed, innermost first. An interrupted compile may have left
    some of them empty already.
    """

    write: tuple[str, ...]
    remove: tuple[str, ...]
    emptied: tuple[str, ...]
    unchanged: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


def look(folder: Folder | None, paths: Iterable[str]) -> Disk:
    """Reads what stands at the paths, a folder at a time. None is a folder that is not there yet."""
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
                    _look_at(here, members, disk)
        except BlockedError as blocked:
            disk.blocking.add(blocked.path)
        except CompileError as error:
            disk.problems.extend(error.diagnostics)
    return disk


def _look_at(here: Folder, paths: list[str], disk: Disk) -> None:
    for path in paths:
        try:
            digest = folders.digest(here, path.rpartition("/")[2])
        except CompileError as error:
            disk.problems.extend(error.diagnostics)
            continue
        if digest is not None:
            disk.found[path] = digest


def plan(
    disk: Disk, label: str, wanted: Mapping[str, str], owned: Mapping[str, frozenset[str]], *, force: bool
) -> Plan:
    """Decides path by path.

    Args:
        disk: What stands there.
        label: How messages spell the folder.
        wanted: sha256 by path of the new tree.
        owned: By path, each content that a compile of ours has put there or was about to put there.
        force: Whether edited and foreign files may go.
    """
    write, unchanged = [], []
    problems = list(disk.problems)
    remove = [path for path in sorted(owned.keys() - wanted.keys()) if disk.found.get(path, OCCUPIED) != OCCUPIED]
    kept = {parent for path in wanted for parent in above(path)}
    emptied = {parent for path in owned.keys() - wanted.keys() for parent in above(path)} - kept
    problems += [
        _edited(label, path, "was edited by hand and is to be removed")
        for path in remove
        if not force and disk.found[path] not in owned[path]
    ]
    for path, digest in wanted.items():
        now = disk.found.get(path)
        if now == digest:
            unchanged.append(path)
            continue
        write.append(path)
        if now == OCCUPIED:
            if path not in emptied:
                problems.append(_in_the_way(label, path, "is no regular file, and a file is to be written there"))
        elif now is not None and not force and now not in owned.get(path, frozenset()):
            problems.append(_edited(label, path, "was edited by hand") if path in owned else _foreign(label, path))
    needed = {parent for path in write for parent in above(path)}
    problems += [
        _in_the_way(label, path, "is a file, and a folder must be there")
        for path in sorted(disk.blocking & needed - set(remove))
    ]
    return Plan(tuple(write), tuple(remove), tuple(sorted(emptied, reverse=True)), tuple(unchanged), tuple(problems))


def _edited(label: str, path: str, why: str) -> Diagnostic:
    hint = "Make the change in the policy instead, and pass --force to overwrite the file."
    return Diagnostic("VSR501", f"{label}/{path} {why}", Span(f"{label}/{path}"), hint)


def _foreign(label: str, path: str) -> Diagnostic:
    hint = "Move it away, or pass --force to overwrite it."
    return Diagnostic("VSR501", f"{label}/{path} was not written by us", Span(f"{label}/{path}"), hint)


def _in_the_way(label: str, path: str, why: str) -> Diagnostic:
    return Diagnostic("VSR500", f"{label}/{path} {why}", Span(f"{label}/{path}"), "Move it away.")
