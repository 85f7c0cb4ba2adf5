"""Where names are looked up, and what is said when one is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from compiler.diagnostics import Diagnostic, Span
from compiler.source import Document
from compiler.source.data import suggest
from compiler.source.document import Path

T = TypeVar("T")


@dataclass(slots=True)
class Scope:
    """The document under work and what was found wrong in it so far."""

    document: Document
    problems: list[Diagnostic] = field(default_factory=list)

    def span(self, *path: str | int, key: bool = False) -> Span:
        """The place of a path in the document."""
        return self.document.span(path, key=key)

    def report(self, code: str, message: str, path: Path, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at a path."""
        self.problems.append(Diagnostic(code, message, self.document.span(path, key=key), hint))

    def resolve(self, table: Mapping[str, T], name: str, noun: str, path: Path, *, key: bool = False) -> T | None:
        """Look a name up. A miss is reported with the nearest name; the caller goes on without."""
        if name in table:
            return table[name]
        hint = suggest(name, sorted(table)) or f"Define it under the policy's {noun}s."
        self.report("VSR201", f"there is no {noun} named `{name}`", path, hint, key=key)
        return None
