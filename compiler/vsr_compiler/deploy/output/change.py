"""Carries out one planned change of an output folder: stage, journal, rename, lock last; undone if the system refuses.

Up to the journal's rename the output is untouched. From there on each file is whole, old or new. An error of the
system puts every old file back; a kill leaves the journal to the next compile.
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
from vsr_compiler.deploy.output.stage import FEW, Stage
from vsr_compiler.deploy.output.survey import Plan
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.strict import LIMIT
from vsr_compiler.manifests.tree import LOCK, Tree
from vsr_compiler.manifests.tree import folders as above

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}


@dataclass(slots=True)
class Change:
    """One change under way.

    Attributes:
        stage: The hidden folder; it knows the output directory and the system calls, too.
        at: Path of what is being done, for messages.
        undo: How to take back what was done, in order of doing.
        touched: Folders whose entries changed, relative to the policy's.
    """

    stage: Stage
    at: str = ""
    undo: list[Callable[[], None]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def run(self, plan: Plan, tree: Tree, lock: bytes, journal: bytes) -> None:
        """Makes the change, or raises CompileError (VSR500) with the output as it was."""
        resumes = self.stage.resumes
        self.at = self.stage.folder.label
        try:
            self.stage.fill([*(tree[path].content for path in plan.write), lock])
            self.stage.commit(journal)
            self._remove(plan)
            for number, path in enumerate(plan.write):
                self._place(number, path)
            self._settle()
            self._place(len(plan.write), LOCK)
            self._settle()
        except (OSError, CompileError, BlockedError) as error:
            raise self._failed(error, self._take_back(resumes=resumes)) from error
        self.at = self.stage.folder.label
        try:
            self.stage.clear()
        except OSError as error:
            raise self._failed(error, "The output itself is complete.") from error

    def _remove(self, plan: Plan) -> None:
        for number, path in enumerate(plan.remove, start=len(plan.write) + 1):
            with self._parent(path) as (name, folder):
                self.stage.ops.rename(name, folder.fd, f"old-{number}", self.stage.folder.fd)
            self.undo.append(partial(self._put_back, number, path))
        for path in plan.emptied:
            self._remove_folder(path)

    def _remove_folder(self, path: str) -> None:
        """Removes a folder that is empty; one with somebody else's files stays."""
        self.at = self.stage.out.at(f"{self.stage.policy}/{path}")
        parent, _, name = f"{self.stage.policy}/{path}".rpartition("/")
        with folders.opened(self.stage.out, parent) as here:
            if here is None or not stat.S_ISDIR(_mode(name, here)):
                return
            try:
                self.stage.ops.rmdir(name, here.fd)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                return
        self.touched.discard(path)
        self.touched.add(path.rpartition("/")[0])
        self.undo.append(partial(self._make, path))

    def _place(self, number: int, path: str) -> None:
        with self._parent(path) as (name, folder):
            # Where a folder stands there is nothing to keep: the rename fails with the system's words.
            replaces = stat.S_ISREG(_mode(name, folder))
            if replaces:
                self._keep(name, folder, f"old-{number}")
            self.stage.ops.rename(f"new-{number}", self.stage.folder.fd, name, folder.fd)
        self.undo.append(partial(self._put_back, number, path) if replaces else partial(self._drop, path))

    def _keep(self, name: str, folder: Folder, backup: str) -> None:
        """Gives the old file a second name in the hidden folder; copies it where there are no hard links."""
        try:
            self.stage.ops.link(name, folder.fd, backup, self.stage.folder.fd)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self.stage.create(backup, folders.read(folder, name, LIMIT) or b"", durable=False)

    @contextlib.contextmanager
    def _parent(self, path: str) -> Iterator[tuple[str, Folder]]:
        """The last name of a path below the policy's folder, and the open folder it is in, made where it is missing."""
        self.at = self.stage.out.at(f"{self.stage.policy}/{path}")
        parent, _, name = path.rpartition("/")
        if parent not in self.touched:
            for folder in ["", *above(path)]:
                self._make(folder)
            self.touched.add(parent)
        with folders.opened(self.stage.out, f"{self.stage.policy}/{parent}".rstrip("/")) as here:
            if here is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            yield name, here

    def _make(self, path: str) -> None:
        """Makes a folder below the policy's, or the policy's own for "", unless it is there."""
        parent, _, name = f"{self.stage.policy}/{path}".rstrip("/").rpartition("/")
        with folders.opened(self.stage.out, parent) as here:
            if here is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if _mode(name, here):
                return
            self.stage.ops.mkdir(name, here.fd)
        self.undo.append(partial(self._unmake, path))
        self.touched.add(path.rpartition("/")[0] if path else "")

    def _settle(self) -> None:
        """Waits until the entries of all touched folders are on the disk."""
        self.at = self.stage.out.at(self.stage.policy)
        if len(self.touched) > FEW and self.stage.ops.syncfs(self.stage.out.fd):
            return
        for path in sorted(self.touched):
            # A folder may have become a file again meanwhile; its parent is touched, too.
            with (
                contextlib.suppress(BlockedError),
                folders.opened(self.stage.out, f"{self.stage.policy}/{path}".rstrip("/")) as here,
            ):
                if here is not None:
                    self.stage.ops.fsync(here.fd)
        self.stage.ops.fsync(self.stage.out.fd)

    def _take_back(self, *, resumes: bool) -> str:
        """Undoes what was done, latest first. Returns how it ended, for the message."""
        at = self.at
        try:
            steps, self.undo = self.undo, []
            for step in reversed(steps):
                step()
            self._settle()
            # What an earlier, interrupted compile left is still there, and so must be the journal that knows it.
            self.stage.clear(keep_journal=resumes)
        except (OSError, CompileError, BlockedError):
            return "Putting the old files back failed, too; the next compile finishes the work."
        finally:
            self.at = at
        return "All files are as they were."

    def _put_back(self, number: int, path: str) -> None:
        with self._parent(path) as (name, folder):
            self.stage.ops.rename(f"old-{number}", self.stage.folder.fd, name, folder.fd)

    def _drop(self, path: str) -> None:
        with self._parent(path) as (name, folder):
            self.stage.ops.unlink(name, folder.fd)

    def _unmake(self, path: str) -> None:
        parent, _, name = f"{self.stage.policy}/{path}".rstrip("/").rpartition("/")
        with folders.opened(self.stage.out, parent) as here:
            if here is not None:
                self.stage.ops.rmdir(name, here.fd)

    def _failed(self, error: Exception, ending: str) -> CompileError:
        if isinstance(error, CompileError):
            return error
        words = error.strerror or str(error) if isinstance(error, OSError) else "a file stands where a folder must be"
        message = f"{self.at} cannot be written: {words}"
        return CompileError([Diagnostic("VSR500", message, Span(self.at), f"Mend this and compile again. {ending}")])


def _mode(name: str, folder: Folder) -> int:
    """Type and permissions of what has the name; 0 for nothing."""
    try:
        return os.stat(name, dir_fd=folder.fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0
