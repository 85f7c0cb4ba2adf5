"""The output of a compile in memory: paths and bytes, checked to be safe on every file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

LOCK = "vsr-compile.lock"
_LONGEST_NAME = 200  # bytes; file systems end at 255, and staging and editors add to a name
_LONGEST_PATH = 1024  # bytes


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        path: POSIX path relative to the policy's output folder.
        content: The bytes, header and final newline included.
        identity: ``apps/v1/Deployment/ns/name`` for a file with a Kubernetes object, else "".
    """

    path: str
    content: bytes
    identity: str = ""


class Tree(Mapping[str, File]):
    """An immutable mapping from path to file, in the order of paths.

    Raises:
        CompileError: VSR503 for a path that could leave the folder, VSR500 for names that some file systems reject or
            treat as equal. All findings at once.
    """

    __slots__ = ("_files",)

    def __init__(self, files: Iterable[File] = ()) -> None:
        ordered = sorted(files, key=lambda file: file.path)
        if problems := _problems([file.path for file in ordered]):
            raise CompileError(problems)
        self._files = {file.path: file for file in ordered}

    def __getitem__(self, path: str) -> File:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"Tree({list(self._files)!r})"


def unsafe(path: str) -> str:
    """Return why a path is unsafe inside an output folder, as the end of a sentence; "" for a safe path."""
    if not path or path.startswith("/") or PurePosixPath(path).as_posix() != path or ".." in path.split("/"):
        return "is not a plain relative path"
    if path == "." or "\\" in path or not path.isprintable():
        return "contains characters that are not allowed in paths"
    if any(len(name.encode()) > _LONGEST_NAME for name in path.split("/")):
        return f"has a name over {_LONGEST_NAME} bytes"
    if len(path.encode()) > _LONGEST_PATH:
        return f"is over {_LONGEST_PATH} bytes long"
    return ""


def folders(path: str) -> list[str]:
    """Return the folders above a file, outermost first: ``a`` and ``a/b`` for ``a/b/c``."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _problems(paths: list[str]) -> list[Diagnostic]:
    bad = [
        Diagnostic("VSR503", f"the path {path!r} {reason}", Span(path), "Rename the entry that it is built from.")
        for path in paths
        if (reason := unsafe(path))
    ]
    above = {folder for path in paths for folder in folders(path)}
    spelled: dict[str, str] = {}
    seen: set[str] = set()
    for path in [*sorted(above), *paths]:
        # Two spellings of a folder collide, as two spellings of a file do.
        other = spelled.setdefault(unicodedata.normalize("NFC", path.casefold()), path)
        if other != path:
            bad.append(_clash(path, f"the paths {other!r} and {path!r} differ only in case"))
    for path in paths:
        if path in above or path == LOCK:
            bad.append(_clash(path, f"the file {path!r} has the path of {'the lock' if path == LOCK else 'a folder'}"))
        if path in seen:
            bad.append(_clash(path, f"two files have the path {path!r}"))
        seen.add(path)
    return bad


def _clash(path: str, message: str) -> Diagnostic:
    return Diagnostic("VSR500", message, Span(path), "Rename one of the entries that they are built from.")
