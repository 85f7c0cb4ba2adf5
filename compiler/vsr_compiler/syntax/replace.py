"""Replacing a text file in one step: whoever reads it sees the old text or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span


def replace_text(path: Path, text: str) -> None:
    """Give an existing regular file another text and leave its mode as it is; a symbolic link stays one.

    Raises:
        CompileError: VSR500 where the file is no regular one or its folder cannot be written.
    """
    name = str(path)
    try:
        real = path.resolve(strict=True)
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CompileError([Diagnostic("VSR500", "this is no regular file", Span(name), "Name the file itself.")])
        _swap(real, text, stat.S_IMODE(found.st_mode))
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
