"""Carry out one planned change of an output folder: stage, journal, rename, lock last; roll back if a call fails.

Until the journal is renamed the output is untouched. After that every file is complete, either old or new. If a system
call fails, every old file is restored. If the process is killed, the next compile finishes the work from the journal.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from vsr_compiler.deploy.output import folders
from vsr_compiler.deploy.output.folders import BlockedError, Folder
from vsr_compiler.deploy.output.planning import Plan
from vsr_compiler.deploy.output.staging import FEW, Staging
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.json_input import LIMIT
from vsr_compiler.manifests.tree import LOCK, Tree
from vsr_compiler.manifests.tree import folders as above

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}


@dataclass(slots=True)
class Transaction:
    """One change in progress.

    Attributes:
        staging: The staging folder, with the output directory and the system calls.
        at: The path of the current step, for messages.
        undo: The steps that revert what was done, in the order in which it was done.
        touched: Folders whose entries changed, relative to the policy's folder.
    """

    staging: Staging
    at: str = ""
    undo: list[Callable[[], None]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def run(self, plan: Plan, tree: Tree, lock: bytes, journal: bytes) -> None:
        """Apply the plan. On failure restore the output and raise CompileError (VSR500)."""
        resumes = self.staging.resumes
        self.at = self.staging.folder.label
        try:
            self.staging.fill([*(tree[path].content for path in plan.write), lock])
            self.staging.commit(journal)
            self._remove(plan)
            for number, path in enumerate(plan.write):
                self._place(number, path)
            self._sync()
            self._place(len(plan.write), LOCK)
            self._sync()
        except (OSError, CompileError, BlockedError) as error:
            raise self._failed(error, self._roll_back(resumes=resumes)) from error
        self.at = self.staging.folder.label
        try:
            self.staging.clear()
        except OSError as error:
            raise self._failed(error, "The output itself is complete.") from error

    def _remove(self, plan: Plan) -> None:
        for number, path in enumerate(plan.remove, start=len(plan.write) + 1):
            with self._parent(path) as (name, folder):
                self.staging.calls.rename(name, folder.fd, f"old-{number}", self.staging.folder.fd)
            self.undo.append(partial(self._put_back, number, path))
        for path in plan.emptied:
            self._remove_folder(path)

    def _remove_folder(self, path: str) -> None:
        """Remove a folder if it is empty; a folder with foreign files stays."""
        self.at = self.staging.out.at(f"{self.staging.policy}/{path}")
        parent, _, name = f"{self.staging.policy}/{path}".rpartition("/")
        with folders.opened(self.staging.out, parent) as here:
            if here is None or not stat.S_ISDIR(_mode(name, here)):
                return
            try:
                self.staging.calls.rmdir(name, here.fd)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                return
        self.touched.discard(path)
        self.touched.add(path.rpartition("/")[0])
        self.undo.append(partial(self._make, path))

    def _place(self, number: int, path: str) -> None:
        with self._parent(path) as (name, folder):
            # If the name is a folder, there is nothing to back up: the rename fails.
            replaces = stat.S_ISREG(_mode(name, folder))
            if replaces:
                self._back_up(name, folder, f"old-{number}")
            self.staging.calls.rename(f"new-{number}", self.staging.folder.fd, name, folder.fd)
        self.undo.append(partial(self._put_back, number, path) if replaces else partial(self._drop, path))

    def _back_up(self, name: str, folder: Folder, backup: str) -> None:
        """Hard-link the old file into the staging folder; copy it if the file system has no hard links."""
        try:
            self.staging.calls.link(name, folder.fd, backup, self.staging.folder.fd)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self.staging.create(backup, folders.read(folder, name, LIMIT) or b"", durable=False)

    @contextlib.contextmanager
    def _parent(self, path: str) -> Iterator[tuple[str, Folder]]:
        """Yield the last name of a path below the policy's folder, and its open parent folder, created if missing."""
        self.at = self.staging.out.at(f"{self.staging.policy}/{path}")
        parent, _, name = path.rpartition("/")
        if parent not in self.touched:
            for folder in ["", *above(path)]:
                self._make(folder)
            self.touched.add(parent)
        with folders.opened(self.staging.out, f"{self.staging.policy}/{parent}".rstrip("/")) as here:
            if here is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            yield name, here

    def _make(self, path: str) -> None:
        """Create a folder below the policy's folder, or that folder itself for "", unless it exists."""
        parent, _, name = f"{self.staging.policy}/{path}".rstrip("/").rpartition("/")
        with folders.opened(self.staging.out, parent) as here:
            if here is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if _mode(name, here):
                return
            self.staging.calls.mkdir(name, here.fd)
        self.undo.append(partial(self._unmake, path))
        self.touched.add(path.rpartition("/")[0] if path else "")

    def _sync(self) -> None:
        """Wait until the entries of all touched folders are on disk."""
        self.at = self.staging.out.at(self.staging.policy)
        if len(self.touched) > FEW and self.staging.calls.syncfs(self.staging.out.fd):
            return
        for path in sorted(self.touched):
            # A folder may have become a file again; then its parent is touched as well.
            with (
                contextlib.suppress(BlockedError),
                folders.opened(self.staging.out, f"{self.staging.policy}/{path}".rstrip("/")) as here,
            ):
                if here is not None:
                    self.staging.calls.fsync(here.fd)
        self.staging.calls.fsync(self.staging.out.fd)

    def _roll_back(self, *, resumes: bool) -> str:
        """Revert what was done, latest step first. Return the outcome as a sentence for the message."""
        at = self.at
        try:
            steps, self.undo = self.undo, []
            for step in reversed(steps):
                step()
            self._sync()
            # Files of an earlier, interrupted compile are still there, so its journal must stay as well.
            self.staging.clear(keep_journal=resumes)
        except (OSError, CompileError, BlockedError):
            return "Restoring the old files failed as well; the next compile finishes the work."
        finally:
            self.at = at
        return "All files are as they were."

    def _put_back(self, number: int, path: str) -> None:
        with self._parent(path) as (name, folder):
            self.staging.calls.rename(f"old-{number}", self.staging.folder.fd, name, folder.fd)

    def _drop(self, path: str) -> None:
        with self._parent(path) as (name, folder):
            self.staging.calls.unlink(name, folder.fd)

    def _unmake(self, path: str) -> None:
        parent, _, name = f"{self.staging.policy}/{path}".rstrip("/").rpartition("/")
        with folders.opened(self.staging.out, parent) as here:
            if here is not None:
                self.staging.calls.rmdir(name, here.fd)

    def _failed(self, error: Exception, ending: str) -> CompileError:
        if isinstance(error, CompileError):
            return error
        reason = error.strerror or str(error) if isinstance(error, OSError) else "a file is where a folder must be"
        message = f"{self.at} cannot be written: {reason}"
        return CompileError([Diagnostic("VSR500", message, Span(self.at), f"Fix this and compile again. {ending}")])


def _mode(name: str, folder: Folder) -> int:
    """Return the type and permissions of a name; 0 if it does not exist."""
    try:
        return os.stat(name, dir_fd=folder.fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0
