"""Atomic replacement of a text file: readers see the old or the new text, never a part of it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span


def replace_text(path: Path, text: str) -> None:
    """Replace the text of an existing regular file and keep its mode. A symbolic link is followed and kept.

    Raises:
        CompileError: VSR500: it is not a regular file, or its folder cannot be written.
    """
    name = str(path)
    try:
        real = path.resolve(strict=True)
        status = real.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CompileError(
                [Diagnostic("VSR500", "not a regular file", Span(name), "Pass the path of the file itself.")]
            )
        _swap(real, text, stat.S_IMODE(status.st_mode))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = "Check the permissions of the file's folder."
        raise CompileError([Diagnostic("VSR500", f"cannot write the file: {reason}", Span(name), hint)]) from None


def _swap(path: Path, text: str, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
