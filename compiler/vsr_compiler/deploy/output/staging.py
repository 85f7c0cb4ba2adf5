"""The staging folder next to an output folder, on the same file system: new files, replaced files and the journal.

``.vsr-compile-<policy>`` holds ``new-N``, ``old-N`` and ``journal``. Changes can be visible in the output only after
the journal has been renamed. Files without a journal are left over from a compile that changed nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.deploy.output import folders
from vsr_compiler.deploy.output.folders import Folder
from vsr_compiler.deploy.output.system_calls import SystemCalls
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

JOURNAL = "journal"
FEW = 32  # files or folders; above this number, one syncfs is cheaper than an fsync each
_OURS = re.compile(r"(?:new|old)-[0-9]+|journal\.new")


def hidden_name(policy: str) -> str:
    """Return the name of the staging folder of a policy."""
    return f".vsr-compile-{policy}"


@dataclass(frozen=True, slots=True)
class Staging:
    """The open staging folder. Every method raises OSError.

    Attributes:
        calls: The system calls.
        out: The output directory, locked.
        folder: The staging folder.
        policy: The name of the policy's folder inside ``out``.
    """

    calls: SystemCalls
    out: Folder
    folder: Folder
    policy: str

    @property
    def resumes(self) -> bool:
        """Whether an earlier compile was interrupted and left its journal."""
        return JOURNAL in self.folder.names()

    def clear(self, *, keep_journal: bool = False) -> None:
        """Remove our files, the journal first, and then the folder unless it contains foreign files."""
        if self.resumes and not keep_journal:
            self.calls.unlink(JOURNAL, self.folder.fd)
        self._sweep()
        if not self.folder.names():
            self.calls.rmdir(hidden_name(self.policy), self.out.fd)

    def fill(self, contents: list[bytes]) -> None:
        """Write the contents as ``new-0``, ``new-1``..., and wait until they are on disk."""
        self._sweep()
        names = [f"new-{number}" for number in range(len(contents))]
        for name, content in zip(names, contents, strict=True):
            self.create(name, content, durable=len(contents) <= FEW)
        if len(contents) > FEW and not self.calls.syncfs(self.folder.fd):
            for name in names:
                self._fsync(name)

    def commit(self, journal: bytes) -> None:
        """Put the journal into effect."""
        self.create("journal.new", journal, durable=True)
        self.calls.rename("journal.new", self.folder.fd, JOURNAL, self.folder.fd)
        self.calls.fsync(self.folder.fd)
        self.calls.fsync(self.out.fd)

    def create(self, name: str, content: bytes, *, durable: bool) -> None:
        """Write one file; ``durable`` waits until it is on disk."""
        fd = self.calls.create(name, self.folder.fd)
        try:
            self.calls.write(fd, content)
            if durable:
                self.calls.fsync(fd)
        finally:
            os.close(fd)

    def _sweep(self) -> None:
        for name in self.folder.names():
            if _OURS.fullmatch(name):
                self.calls.unlink(name, self.folder.fd)

    def _fsync(self, name: str) -> None:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.folder.fd)
        try:
            self.calls.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def opened(out: Folder, policy: str, calls: SystemCalls) -> Iterator[Staging]:
    """Open the staging folder of a policy, created if missing.

    Raises:
        CompileError: VSR500 if a system call fails, VSR503 if it is a symbolic link.
        BlockedError: It is a file.
    """
    name = hidden_name(policy)
    try:
        with contextlib.suppress(FileExistsError):
            calls.mkdir(name, out.fd)
    except OSError as error:
        raise out.failed(name, error) from error
    with folders.opened(out, name) as folder:
        if folder is None:
            raise CompileError(
                [Diagnostic("VSR500", f"{out.at(name)} was removed during the compile", Span(out.at(name)))]
            )
        yield Staging(calls, out, folder, policy)
