"""The output directory: opened, held against other compiles, its errors told in plain words."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vsr_compiler.deploy.output.folders import BlockedError, Folder
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.tree import unsafe

PATIENCE = 5.0  # seconds that a compile waits for another one
_PAUSE = 0.05  # seconds between two looks


@contextlib.contextmanager
def opened(root: Path) -> Iterator[Folder | None]:
    """The output directory, which may itself be a symbolic link; None where absent. Raises OSError."""
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        yield Folder(fd, str(root))
    finally:
        os.close(fd)


@contextlib.contextmanager
def held(root: Path) -> Iterator[Folder]:
    """The output directory, made where missing, and its flock: taken on the folder itself, it leaves no file behind."""
    root.mkdir(parents=True, exist_ok=True)
    with opened(root) as out:
        if out is None:
            raise FileNotFoundError(f"{root} was removed")
        end = time.monotonic() + PATIENCE
        while not _locked(out.fd):
            if time.monotonic() >= end:
                hint = "Wait for it to end, and run the command again."
                message = f"another compile is writing to {root}"
                raise CompileError([Diagnostic("VSR504", message, Span(str(root)), hint)])
            time.sleep(_PAUSE)
        yield out


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def system(root: Path) -> Iterator[None]:
    """Turns what the operating system says into a diagnostic (VSR500)."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or root)
        message = f"{root} cannot be read or written: {error.strerror or error}"
        hint = "Check the path and its permissions, or name another folder by --out."
        raise CompileError([Diagnostic("VSR500", message, Span(where), hint)]) from error
    except BlockedError as blocked:
        where = f"{root}/{blocked.path}"
        message = f"{where} is a file, and a folder must be there"
        raise CompileError([Diagnostic("VSR500", message, Span(where), "Move it away.")]) from blocked


def policy_name(root: Path, name: str) -> str:
    """The name, if it can be that of a folder inside the output directory. Raises CompileError (VSR503)."""
    if unsafe(name) or "/" in name or name.startswith("."):
        raise CompileError(
            [Diagnostic("VSR503", f"{name!r} cannot name a folder", Span(str(root)), "Rename the policy.")]
        )
    return name
