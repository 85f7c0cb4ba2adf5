"""The hidden folder beside an output folder, on the same file system: new files, replaced files and the journal.

``.vsr-compile-<policy>`` holds ``new-N``, ``old-N`` and ``journal``. The rename of the journal is the moment from which
a change may be seen in the output; whatever lies here without a journal is rubbish of a compile that changed nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.deploy.output import folders
from vsr_compiler.deploy.output.folders import Folder
from vsr_compiler.deploy.output.ops import Ops
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

JOURNAL = "journal"
FEW = 32  # files or folders; beyond, one call for the file system is cheaper than an fsync each
_OURS = re.compile(r"(?:new|old)-[0-9]+|journal\.new")


def hidden_name(policy: str) -> str:
    """Name of the hidden folder beside the output folder of a policy."""
    return f".vsr-compile-{policy}"


@dataclass(frozen=True, slots=True)
class Stage:
    """The hidden folder, open. Every method raises OSError.

    Attributes:
        ops: The system calls.
        out: The output directory, held by its flock.
        folder: The hidden folder.
        policy: Name of the policy's folder inside ``out``.
    """

    ops: Ops
    out: Folder
    folder: Folder
    policy: str

    @property
    def resumes(self) -> bool:
        """Whether an earlier compile was cut short and left its journal."""
        return JOURNAL in self.folder.names()

    def clear(self, *, keep_journal: bool = False) -> None:
        """Empties the folder of what is ours, the journal first, and removes it unless others put something there."""
        if self.resumes and not keep_journal:
            self.ops.unlink(JOURNAL, self.folder.fd)
        self._sweep()
        if not self.folder.names():
            self.ops.rmdir(hidden_name(self.policy), self.out.fd)

    def fill(self, contents: list[bytes]) -> None:
        """Puts the contents here as ``new-0``, ``new-1``..., and waits until they are on the disk."""
        self._sweep()
        names = [f"new-{number}" for number in range(len(contents))]
        for name, content in zip(names, contents, strict=True):
            self.create(name, content, durable=len(contents) <= FEW)
        if len(contents) > FEW and not self.ops.syncfs(self.folder.fd):
            for name in names:
                self._fsync(name)

    def commit(self, journal: bytes) -> None:
        """Makes the journal count."""
        self.create("journal.new", journal, durable=True)
        self.ops.rename("journal.new", self.folder.fd, JOURNAL, self.folder.fd)
        self.ops.fsync(self.folder.fd)
        self.ops.fsync(self.out.fd)

    def create(self, name: str, content: bytes, *, durable: bool) -> None:
        """Makes one file; ``durable`` waits for the disk."""
        fd = self.ops.create(name, self.folder.fd)
        try:
            self.ops.write(fd, content)
            if durable:
                self.ops.fsync(fd)
        finally:
            os.close(fd)

    def _sweep(self) -> None:
        for name in self.folder.names():
            if _OURS.fullmatch(name):
                self.ops.unlink(name, self.folder.fd)

    def _fsync(self, name: str) -> None:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.folder.fd)
        try:
            self.ops.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def opened(out: Folder, policy: str, ops: Ops) -> Iterator[Stage]:
    """The hidden folder of a policy, made where missing.

    Raises:
        CompileError: VSR500 where the system refuses, VSR503 where a symbolic link stands in its place.
        BlockedError: A file stands in its place.
    """
    name = hidden_name(policy)
    try:
        with contextlib.suppress(FileExistsError):
            ops.mkdir(name, out.fd)
    except OSError as error:
        raise out.failed(name, error) from error
    with folders.opened(out, name) as folder:
        if folder is None:
            raise CompileError([Diagnostic("VSR500", f"{out.at(name)} was removed meanwhile", Span(out.at(name)))])
        yield Stage(ops, out, folder, policy)
