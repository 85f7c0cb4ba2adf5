"""Write a tree to disk, completely or not at all, and compare the disk with a tree.

The tree is complete when every file listed in ``vsr-compile.lock`` has the listed sha256; the lock is renamed last.
While ``.vsr-compile-<policy>/journal`` exists, a write is in progress or was interrupted. From the journal the next
write knows which files are ours, and finishes the work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.deploy.output import folders, journal, output_directory, planning, staging
from vsr_compiler.deploy.output.folders import Folder
from vsr_compiler.deploy.output.system_calls import SYSTEM_CALLS, SystemCalls
from vsr_compiler.deploy.output.transaction import Transaction
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.json_input import LIMIT
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.tree import LOCK, Tree, unsafe

COMPILE = "Compile without --check, and commit the result."


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a write: paths relative to the policy's folder, without the lock."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """The state that earlier compiles left.

    Attributes:
        owned: Contents of generated files by path.
        lock: The bytes of the lock; None without one.
        leftovers: Whether a staging folder exists.
        interrupted: Whether it contains a journal.
    """

    owned: Mapping[str, frozenset[str]]
    lock: bytes | None
    leftovers: bool
    interrupted: bool


def write(root: Path, tree: Tree, lock: Lock, *, force: bool = False, calls: SystemCalls = SYSTEM_CALLS) -> Report:
    """Write the tree and the lock to ``root/<policy>/``.

    Files with the right content are not touched. Files that the old lock lists and the tree lacks are removed, with the
    folders that this empties. Other files in the folder are left alone.

    Args:
        root: The output directory; created if missing. It may be a symbolic link, but nothing below it.
        tree: The files.
        lock: The tree's lock, from ``Lock.of``.
        force: Overwrite edited files, foreign files and a broken lock.
        calls: The system calls; tests make them fail.

    Raises:
        CompileError: VSR500 if a system call fails, VSR501 if edited or foreign files are in the way (all are named),
            VSR503 if a path contains a symbolic link, VSR504 if another compile is writing. The old files stay.
        ValueError: The lock does not belong to the tree.
    """
    expected = _digests(tree, lock)
    content = lock.render()
    output_directory.policy_name(root, lock.policy)
    with output_directory.system_errors(root), output_directory.locked(root) as out:
        known = _known(out, lock.policy, force=force)
        plan = _plan(out, lock.policy, expected, known, force=force)
        if plan.problems:
            raise CompileError(plan.problems)
        idle = not (plan.write or plan.remove) and known.lock == content
        if not idle or known.leftovers:
            owned = journal.merged(known.owned, {path: frozenset({digest}) for path, digest in expected.items()})
            with staging.opened(out, lock.policy, calls) as hidden:
                if idle:
                    hidden.clear()
                else:
                    Transaction(hidden).run(plan, tree, content, journal.render(owned))
        return Report(plan.write, plan.remove, plan.unchanged)


def unchanged(root: Path, policy: str, lock: str) -> Report | None:
    """Return the report of a write that has nothing to do; None if it has.

    Args:
        root: The output directory.
        policy: The name of the policy.
        lock: The sha256 of the lock that would be written, in hex.
    """
    with (
        contextlib.suppress(CompileError),
        output_directory.system_errors(root),
        output_directory.opened(root) as out,
    ):
        if out is None:
            return None
        known = _known(out, output_directory.policy_name(root, policy), force=False)
        if known.lock is None or locks.sha256(known.lock) != lock or known.leftovers:
            return None
        expected = {path: digest for path, (digest,) in known.owned.items()}
        plan = _plan(out, policy, expected, known, force=False)
        if not (plan.problems or plan.write or plan.remove):
            return Report((), (), plan.unchanged)
    return None


def check(root: Path, tree: Tree, lock: Lock) -> list[Diagnostic]:
    """Return how the disk differs from a tree, in order of path. Writes nothing.

    Returns:
        VSR502 for each file that is missing, differs, or is listed in the lock but no longer produced, for a lock that
        differs and for an interrupted write; VSR501, VSR503 or VSR500 for what cannot be compared.
    """
    expected = _digests(tree, lock)
    try:
        with output_directory.system_errors(root), output_directory.opened(root) as out:
            if out is None:
                return [_absent(str(root))]
            known = _known(out, output_directory.policy_name(root, lock.policy), force=False)
            with folders.opened(out, lock.policy) as folder:
                if folder is None and not known.interrupted:
                    return [_absent(f"{root}/{lock.policy}")]
                disk = planning.read_disk(folder, {*expected, *known.owned})
            differing = dict(_differences(disk, expected, known, lock))
    except CompileError as error:
        return error.diagnostics
    label = f"{root}/{lock.policy}"
    reported = {problem.span.file for problem in disk.problems}
    findings = [
        Diagnostic("VSR502", f"{label}/{path} {how}", Span(f"{label}/{path}"), COMPILE)
        for path, how in differing.items()
        if f"{label}/{path}" not in reported
    ]
    if known.interrupted:
        where = Span(f"{root}/{staging.hidden_name(lock.policy)}")
        findings.append(Diagnostic("VSR502", f"a compile into {label} was interrupted", where, COMPILE))
    return sorted([*findings, *disk.problems], key=lambda diagnostic: diagnostic.order)


def _absent(folder: str) -> Diagnostic:
    """Return one finding for a folder that does not exist."""
    return Diagnostic("VSR502", f"{folder} does not exist", Span(folder), COMPILE)


def read_owned(root: Path, policy: str, path: str) -> bytes | None:
    """Return a file of an earlier compile, for reuse; None if absent.

    Raises:
        CompileError: VSR503 if the path contains a symbolic link or leads outside, VSR005 for a file over 64 MiB,
            VSR500 if a system call fails.
    """
    if reason := unsafe(path):
        raise CompileError([Diagnostic("VSR503", f"the path {path!r} {reason}", Span(f"{root}/{policy}"))])
    parent, _, name = f"{output_directory.policy_name(root, policy)}/{path}".rpartition("/")
    with output_directory.system_errors(root), output_directory.opened(root) as out:
        if out is None:
            return None
        with folders.opened(out, parent) as folder:
            return None if folder is None else folders.read(folder, name, LIMIT)


def _digests(tree: Tree, lock: Lock) -> dict[str, str]:
    expected = {path: locks.sha256(file.content) for path, file in tree.items()}
    if expected != {path: entry.sha256 for path, entry in lock.files.items()}:
        raise ValueError("the lock does not belong to the tree")
    return expected


def _differences(
    disk: planning.Disk, expected: Mapping[str, str], known: _Known, lock: Lock
) -> Iterator[tuple[str, str]]:
    for path, digest in expected.items():
        if path not in disk.digests:
            yield path, "is missing"
        elif disk.digests[path] != digest:
            yield path, "differs"
    for path in known.owned.keys() - expected.keys():
        if disk.digests.get(path, folders.OCCUPIED) != folders.OCCUPIED:
            yield path, "is no longer produced"
    if known.lock != lock.render():
        yield LOCK, "is missing" if known.lock is None else "differs"


def _known(out: Folder, policy: str, *, force: bool) -> _Known:
    """Read the lock and the journal, if any. A broken one is an error (VSR501); with ``force`` it is ignored."""
    content, owned, noted = None, {}, None
    with folders.opened(out, policy) as folder:
        if folder is not None and (content := folders.read(folder, LOCK, LIMIT)) is not None:
            with _forgiven(force=force):
                files = locks.parse(content, folder.at(LOCK)).files
                owned = {path: frozenset({entry.sha256}) for path, entry in files.items()}
    with folders.opened(out, staging.hidden_name(policy)) as hidden:
        if hidden is not None and (noted := folders.read(hidden, staging.JOURNAL, LIMIT)) is not None:
            with _forgiven(force=force):
                owned = journal.merged(owned, journal.parse(noted, hidden.at(staging.JOURNAL)))
        return _Known(owned, content, hidden is not None, noted is not None)


@contextlib.contextmanager
def _forgiven(*, force: bool) -> Iterator[None]:
    try:
        yield
    except CompileError:
        if not force:
            raise


def _plan(out: Folder, policy: str, expected: Mapping[str, str], known: _Known, *, force: bool) -> planning.Plan:
    with folders.opened(out, policy) as folder:
        disk = planning.read_disk(folder, {*expected, *known.owned})
    return planning.plan(disk, out.at(policy), expected, known.owned, force=force)
