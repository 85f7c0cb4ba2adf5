"""Findings and results of a command about one policy, found again while nothing changed that they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from vsr_compiler.cache import store
from vsr_compiler.cache.folder import cache_folder
from vsr_compiler.cache.installation import fingerprint
from vsr_compiler.diagnostics import CODES, Diagnostic, Severity, Span

OFF = "VSR_NO_CACHE"
"""The environment variable that switches the cache off."""
MAX_READ = 4 << 20
_UNSTABLE = frozenset({"VSR001", "VSR004", "VSR005", "VSR011", "VSR106", "VSR107", "VSR587"})
"""Codes of findings about files that could not be read, or that may hide such findings."""
_fingerprint = cache(fingerprint)
Texts = Callable[[Path, str], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """Findings, in the groups in which they are reported, and what else a command needs to know."""

    findings: tuple[tuple[Diagnostic, ...], ...]
    facts: Any = None


@dataclass(slots=True)
class Question:
    """A command, the policy that it is about, and its arguments that count.

    ``texts`` is how the policy must be read, so that the answer is known to be about what was read.
    """

    command: str
    policy: Path
    arguments: tuple[str, ...]
    _read: dict[Path, str] = field(default_factory=dict)

    def texts(self, read: Texts) -> Texts:
        """Return a reader that notes the sha256 of what it reads."""

        def noting(path: Path, name: str) -> str:
            text = read(path, name)
            self._read[path] = hashlib.sha256(text.encode()).hexdigest()
            return text

        return noting

    def answer(self) -> Answer | None:
        """Return the answer of an earlier run; None if there is none or something changed."""
        if os.environ.get(OFF):
            return None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            document = store.read(_folder(), self._key(_digest(self.policy)))
            if document is not None and all(_state(Path(name)) == state for name, *state in document["files"]):
                findings = tuple(tuple(_finding(item) for item in group) for group in document["findings"])
                return Answer(findings, document["facts"])
        return None

    def remember(self, findings: Sequence[Sequence[Diagnostic]], facts: Any = None) -> None:  # noqa: ANN401 - JSON
        """Keep an answer for later runs, if the files that were read are all that it depends on."""
        own = self._read.pop(self.policy, None)
        codes = {item.code for group in findings for item in group}
        if os.environ.get(OFF) or own is None or codes & _UNSTABLE:
            return
        with contextlib.suppress(OSError, ValueError):
            files = [[str(path), *_state(path)] for path in self._read]
            if [file[1] for file in files] == list(self._read.values()):
                document = {"files": files, "findings": [[_data(item) for item in group] for group in findings]}
                store.write(_folder(), self._key(own), document | {"facts": facts})

    def _key(self, policy: str) -> str:
        # Imports are resolved from the policy's real place, within its repository.
        parts = (_fingerprint(), self.command, self.policy, _repository(self.policy), policy, *self.arguments)
        return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()


def _folder() -> Path:
    return cache_folder(os.environ) / "answers"


def _repository(path: Path) -> list[str]:
    """Return the real path of a policy, and which of the folders above it is a repository."""
    real = path.resolve()
    return [str(real), *(str(parent) for parent in real.parents if (parent / ".git").exists())]


def _state(path: Path) -> list[str]:
    """Return the sha256 of a file, and its real path."""
    return [_digest(path), str(path.resolve())]


def _digest(path: Path) -> str:
    """Return the sha256 of a regular file. A pipe could be read only once."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - not blocking
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(str(path))
        data = file.read(MAX_READ + 1)
    if len(data) > MAX_READ:
        raise ValueError(str(path))
    return hashlib.sha256(data).hexdigest()


def _data(item: Diagnostic) -> list[Any]:
    span = item.span
    place = [span.file, span.line, span.column, span.end_line, span.end_column]
    severity = None if item.severity is None else int(item.severity)
    return [item.code, item.message, place, item.hint, severity, item.hides]


def _finding(data: Any) -> Diagnostic:  # noqa: ANN401 - whatever the document holds
    code, message, (file, *numbers), hint, severity, hides = data
    texts, places = (code, message, file, hint), (*numbers,)
    if code not in CODES or not all(type(text) is str for text in texts) or type(hides) is not bool:
        raise ValueError(code)
    if len(places) != 4 or not all(type(number) is int for number in places):  # noqa: PLR2004 - as in a span
        raise ValueError(file)
    return Diagnostic(code, message, Span(file, *places), hint, None if severity is None else Severity(severity), hides)
