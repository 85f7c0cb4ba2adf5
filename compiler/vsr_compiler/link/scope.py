"""Where names are looked up, and what is said when one is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from vsr_compiler.diagnostics import MAX_FINDINGS, Diagnostic, Severity, Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.syntax import Document
from vsr_compiler.syntax.document import Path

T = TypeVar("T")


@dataclass(slots=True)
class Scope:
    """The document under work and what was found in it so far."""

    document: Document
    noted: dict[Diagnostic, None] = field(default_factory=dict)

    @property
    def found(self) -> list[Diagnostic]:
        """Every finding, once, in the order in which it was noted."""
        return list(self.noted)

    @property
    def problems(self) -> list[Diagnostic]:
        """What keeps the policy from being compiled."""
        return [item for item in self.found if item.level is Severity.ERROR]

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What does not."""
        return tuple(item for item in self.found if item.level is not Severity.ERROR)

    def span(self, *path: str | int, key: bool = False) -> Span:
        """The place of a path in the document."""
        return self.document.span(path, key=key)

    def report(self, code: str, message: str, path: Path, hint: str = "", *, key: bool = False) -> None:
        """Note a finding at a path, once."""
        self.noted[Diagnostic(code, message, self.document.span(path, key=key), hint)] = None

    def resolve(self, table: Mapping[str, T], name: str, noun: str, path: Path, *, key: bool = False) -> T | None:
        """Look a name up. A miss is reported with the nearest name; the caller goes on without."""
        if name in table:
            return table[name]
        # Looking for the nearest name costs; nobody reads the hints of findings that are not shown.
        hint = (
            suggest(name, sorted(table)) if len(self.noted) <= MAX_FINDINGS else ""
        ) or "The policy defines none of this kind that could be meant."
        self.report("VSR201", f"there is no {noun} named `{name}`", path, hint, key=key)
        return None
