"""Brings a tree to the disk, whole or not at all, and says how the disk differs from one.

A reader knows the tree is whole when each file that ``vsr-compile.lock`` lists has the listed sha256; the lock is
renamed last. While ``.vsr-compile-<policy>/journal`` lies beside the folder, a write is under way or was cut short; the
next write recognises by it which files are ours, in whatever state, and finishes the work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.deploy.output import folders, journal, stage, survey
from vsr_compiler.deploy.output import root as outside
from vsr_compiler.deploy.output.change import Change
from vsr_compiler.deploy.output.folders import Folder
from vsr_compiler.deploy.output.ops import OS, Ops
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.strict import LIMIT
from vsr_compiler.manifests.tree import LOCK, Tree, unsafe

COMPILE = "Compile without --check, and commit the result."


@dataclass(frozen=True, slots=True)
class Report:
    """What a write did, by path relative to the policy's folder; the lock is not counted."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What earlier compiles left: contents of ours by path, the lock's bytes, a hidden folder, a journal in it."""

    owned: Mapping[str, frozenset[str]]
    lock: bytes | None
    leftovers: bool
    interrupted: bool


def write(root: Path, tree: Tree, lock: Lock, *, force: bool = False, ops: Ops = OS) -> Report:
    """Makes ``root/<policy>/`` hold the tree and the lock.

    Files that are right already are not touched. Files that the old lock lists and the tree lacks are removed, and
    folders emptied by that. Other files in the folder are left alone.

    Args:
        root: The output directory; made where missing. It may be a symbolic link; nothing below it may.
        tree: The files.
        lock: The tree's lock, of ``Lock.of``.
        force: Overwrite edited and foreign files in the way, and a broken lock.
        ops: The system calls; tests make them fail.

    Raises:
        CompileError: VSR500 the system refuses, VSR501 edited or foreign files are in the way (all are named), VSR503
            a symbolic link is on the way, VSR504 another compile is writing. In each case the old files stay.
        ValueError: The lock does not belong to the tree.
    """
    wanted = _digests(tree, lock)
    content = lock.render()
    outside.policy_name(root, lock.policy)
    with outside.system(root), outside.held(root) as out:
        known = _known(out, lock.policy, force=force)
        plan = _plan(out, lock.policy, wanted, known, force=force)
        if plan.problems:
            raise CompileError(plan.problems)
        idle = not (plan.write or plan.remove) and known.lock == content
        if not idle or known.leftovers:
            owned = journal.merged(known.owned, {path: frozenset({digest}) for path, digest in wanted.items()})
            with stage.opened(out, lock.policy, ops) as hidden:
                if idle:
                    hidden.clear()
                else:
                    Change(hidden).run(plan, tree, content, journal.render(owned))
        return Report(plan.write, plan.remove, plan.unchanged)


def check(root: Path, tree: Tree, lock: Lock) -> list[Diagnostic]:
    """How the disk differs from a fresh compile, in order of path; writes nothing.

    Returns:
        VSR502 for each file that is missing, differs, or is still owned but no longer made, for a lock that differs
        and for an interrupted write; VSR501, VSR503 or VSR500 for what cannot be compared. Empty when all is equal.
    """
    wanted = _digests(tree, lock)
    try:
        with outside.system(root), outside.opened(root) as out:
            if out is None:
                return [_absent(str(root))]
            known = _known(out, outside.policy_name(root, lock.policy), force=False)
            with folders.opened(out, lock.policy) as folder:
                if folder is None and not known.interrupted:
                    return [_absent(f"{root}/{lock.policy}")]
                disk = survey.look(folder, {*wanted, *known.owned})
            differing = dict(_differences(disk, wanted, known, lock))
    except CompileError as error:
        return error.diagnostics
    label = f"{root}/{lock.policy}"
    told = {problem.span.file for problem in disk.problems}
    found = [
        Diagnostic("VSR502", f"{label}/{path} {how}", Span(f"{label}/{path}"), COMPILE)
        for path, how in differing.items()
        if f"{label}/{path}" not in told
    ]
    if known.interrupted:
        where = Span(f"{root}/{stage.hidden_name(lock.policy)}")
        found.append(Diagnostic("VSR502", f"a compile into {label} was interrupted", where, COMPILE))
    return sorted([*found, *disk.problems], key=lambda diagnostic: diagnostic.order)


def _absent(folder: str) -> Diagnostic:
    """One finding for all the files of a folder that is not there."""
    return Diagnostic("VSR502", f"{folder} does not exist", Span(folder), COMPILE)


def read_owned(root: Path, policy: str, path: str) -> bytes | None:
    """The bytes of a file of an earlier compile, for reuse; None where absent.

    Raises:
        CompileError: VSR503 for a symbolic link on the way or a path that leads outside, VSR005 for a file over
            64 MiB, VSR500 where the system refuses.
    """
    if reason := unsafe(path):
        raise CompileError([Diagnostic("VSR503", f"the path {path!r} {reason}", Span(f"{root}/{policy}"))])
    parent, _, name = f"{outside.policy_name(root, policy)}/{path}".rpartition("/")
    with outside.system(root), outside.opened(root) as out:
        if out is None:
            return None
        with folders.opened(out, parent) as folder:
            return None if folder is None else folders.read(folder, name, LIMIT)


def _digests(tree: Tree, lock: Lock) -> dict[str, str]:
    wanted = {path: locks.sha256(file.content) for path, file in tree.items()}
    if wanted != {path: entry.sha256 for path, entry in lock.files.items()}:
        raise ValueError("the lock does not belong to the tree")
    return wanted


def _differences(disk: survey.Disk, wanted: Mapping[str, str], known: _Known, lock: Lock) -> Iterator[tuple[str, str]]:
    for path, digest in wanted.items():
        if path not in disk.found:
            yield path, "is missing"
        elif disk.found[path] != digest:
            yield path, "differs"
    for path in known.owned.keys() - wanted.keys():
        if disk.found.get(path, folders.OCCUPIED) != folders.OCCUPIED:
            yield path, "is no longer made"
    if known.lock != lock.render():
        yield LOCK, "is missing" if known.lock is None else "differs"


def _known(out: Folder, policy: str, *, force: bool) -> _Known:
    """Reads the lock and the journal, if any. Broken ones are errors (VSR501), or nothing under ``force``."""
    content, owned, noted = None, {}, None
    with folders.opened(out, policy) as folder:
        if folder is not None and (content := folders.read(folder, LOCK, LIMIT)) is not None:
            with _forgiven(force=force):
                files = locks.parse(content, folder.at(LOCK)).files
                owned = {path: frozenset({entry.sha256}) for path, entry in files.items()}
    with folders.opened(out, stage.hidden_name(policy)) as hidden:
        if hidden is not None and (noted := folders.read(hidden, stage.JOURNAL, LIMIT)) is not None:
            with _forgiven(force=force):
                owned = journal.merged(owned, journal.parse(noted, hidden.at(stage.JOURNAL)))
        return _Known(owned, content, hidden is not None, noted is not None)


@contextlib.contextmanager
def _forgiven(*, force: bool) -> Iterator[None]:
    try:
        yield
    except CompileError:
        if not force:
            raise


def _plan(out: Folder, policy: str, wanted: Mapping[str, str], known: _Known, *, force: bool) -> survey.Plan:
    with folders.opened(out, policy) as folder:
        disk = survey.look(folder, {*wanted, *known.owned})
    return survey.plan(disk, out.at(policy), wanted, known.owned, force=force)
