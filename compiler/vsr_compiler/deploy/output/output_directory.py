"""The output directory: opening it, locking it against other compiles, and turning system errors into diagnostics."""

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

LOCK_TIMEOUT = 5.0  # seconds to wait for another compile
_PAUSE = 0.05  # seconds between two attempts


@contextlib.contextmanager
def opened(root: Path) -> Iterator[Folder | None]:
    """Open the output directory, which may be a symbolic link; yield None if absent. Raises OSError."""
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
def locked(root: Path) -> Iterator[Folder]:
    """Open the output directory, created if missing, and hold a flock on it. The flock needs no file."""
    root.mkdir(parents=True, exist_ok=True)
    with opened(root) as out:
        if out is None:
            raise FileNotFoundError(f"{root} was removed")
        end = time.monotonic() + LOCK_TIMEOUT
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
def system_errors(root: Path) -> Iterator[None]:
    """Turn errors of the operating system into diagnostics (VSR500)."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or root)
        message = f"{root} cannot be read or written: {error.strerror or error}"
        hint = "Check the path and its permissions, or name another folder by --out."
        raise CompileError([Diagnostic("VSR500", message, Span(where), hint)]) from error
    except BlockedError as blocked:
        where = f"{root}/{blocked.path}"
        message = f"{where} is a file, but must be a folder"
        raise CompileError([Diagnostic("VSR500", message, Span(where), "Move it away.")]) from blocked


def policy_name(root: Path, name: str) -> str:
    """Return the name if it can name a folder inside the output directory. Raises CompileError (VSR503)."""
    if unsafe(name) or "/" in name or name.startswith("."):
        raise CompileError(
            [Diagnostic("VSR503", f"{name!r} cannot name a folder", Span(str(root)), "Rename the policy.")]
        )
    return name
