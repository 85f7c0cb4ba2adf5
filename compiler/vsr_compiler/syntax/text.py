"""Reading of policy files: bytes to text."""

from __future__ import annotations

import re
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import nearest
from vsr_schemas.policy.kinds import FRAGMENT_KIND

MAX_BYTES = 4 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
_FRAGMENT = re.compile(rf"^[\"']?kind[\"']?:[ \t]*[\"']?{FRAGMENT_KIND}\b", re.MULTILINE)


def read(path: Path, name: str) -> str:
    """Return the text of a file.

    Args:
        path: The file.
        name: The name of the file in messages.

    Raises:
        CompileError: VSR001, VSR004 or VSR005.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = _nearest(path) or "Check the path, and that you may read the file."
        raise CompileError([Diagnostic("VSR001", f"cannot read the file: {reason}", Span(name), hint)]) from None
    return decode(data, name)


def _nearest(path: Path) -> str:
    """Return a hint with the file that was probably meant by a path that does not exist; empty if there is none."""
    try:
        beside = [] if path.exists() else [file.name for file in path.parent.iterdir() if file.suffix == path.suffix]
    except OSError:
        return ""
    near = nearest(path.name, beside)
    return f"Did you mean `{path.with_name(near)}`?" if near else ""


def decode(data: bytes, name: str) -> str:
    """Return bytes as text. Reject anything but UTF-8 without a byte order mark and within the size limit."""
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
        raise CompileError([Diagnostic("VSR005", message, Span(name), "Split it into several files.")])
    if data.startswith(BOM):
        hint = "Save it as UTF-8 without the mark."
        raise CompileError([Diagnostic("VSR004", "the file begins with a byte order mark", Span(name, 1, 1), hint)])
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise CompileError(
            [Diagnostic("VSR004", message, Span(name, line, column), "Save the file as UTF-8.")]
        ) from None
    return text


def is_fragment(text: str) -> bool:
    """Return whether a text says that it is a fragment, so that a folder of policies can contain some."""
    return _FRAGMENT.search(text) is not None
