"""Known findings of a repository, so that only new ones fail. They are recognised when lines move."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span

FORMAT = "vsr.dev/verify-baseline/v1"
MAX_SIZE = 64 * 1024 * 1024


def fingerprint(item: Diagnostic, sources: Mapping[str, str], folder: Path) -> str:
    """Return what identifies a finding: its code, its file, and the text of its line or else its message."""
    lines = sources.get(item.span.file, "").split("\n")
    line = lines[item.span.line - 1].strip() if 0 < item.span.line <= len(lines) else ""
    file = item.span.file if item.span.file == "-" else os.path.relpath(item.span.file, folder).replace(os.sep, "/")
    return hashlib.sha256("\n".join((item.code, file, line or item.message)).encode(errors="replace")).hexdigest()[:32]


def write(path: Path, findings: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
    """Write the findings that are more than notes.

    Raises:
        CompileError: The file cannot be written.
    """
    counted = Counter(fingerprint(item, sources, path.parent) for item in findings if item.level is not Severity.NOTE)
    document = {"format": FORMAT, "findings": dict(sorted(counted.items()))}
    try:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise _error(path, f"cannot be written: {(error.strerror or '').lower()}") from None


def without_known(path: Path, findings: Iterable[Diagnostic], sources: Mapping[str, str]) -> list[Diagnostic]:
    """Return the findings that are not in a baseline, and the notes.

    Raises:
        CompileError: The file is no baseline.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
        document = json.loads(data) if len(data) <= MAX_SIZE else None
    except OSError as error:
        raise _error(path, f"cannot be read: {(error.strerror or '').lower()}") from None
    except (ValueError, RecursionError):
        document = None
    known = document.get("findings") if isinstance(document, dict) and document.get("format") == FORMAT else None
    if not isinstance(known, dict) or not all(isinstance(count, int) for count in known.values()):
        raise _error(path, "this is not a baseline of vsr-compile")
    left, new = Counter(known), []
    for item in sorted(findings, key=lambda item: item.order):
        if item.level is Severity.NOTE:
            new.append(item)
            continue
        key = fingerprint(item, sources, path.parent)
        if left[key] > 0:
            left[key] -= 1
        else:
            new.append(item)
    return new


def _error(path: Path, message: str) -> CompileError:
    return CompileError([Diagnostic("VSR485", message, Span(str(path)), "Write it again with --write-baseline.")])
