"""The lookup of names, and the diagnostics collected so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from vsr_compiler.diagnostics import MAX_FINDINGS, Diagnostic, Severity, Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.syntax import Document
from vsr_compiler.syntax.document import Path

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name where it is used: what the policy calls such a thing, the name, and its place."""

    kind: str
    name: str
    span: Span


@dataclass(slots=True)
class Scope:
    """The document that is linked, and its diagnostics."""

    document: Document
    diagnostics: dict[Diagnostic, None] = field(default_factory=dict)
    references: dict[Reference, None] = field(default_factory=dict)
    """The names that were looked up, defined or not."""
    clusters: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Environment and cluster, by the name of the environment that both make together."""

    @property
    def found(self) -> list[Diagnostic]:
        """All diagnostics in the order in which they were reported."""
        return list(self.diagnostics)

    @property
    def problems(self) -> list[Diagnostic]:
        """The errors."""
        return [item for item in self.found if item.level is Severity.ERROR]

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings and notes."""
        return tuple(item for item in self.found if item.level is not Severity.ERROR)

    def span(self, *path: str | int, key: bool = False) -> Span:
        """Return the span of a path in the document."""
        return self.document.span(self._written(path), key=key)

    def report(self, code: str, message: str, path: Path, hint: str = "", *, key: bool = False) -> None:
        """Report a diagnostic at a path. A repeated one is kept once."""
        self.diagnostics[Diagnostic(code, message, self.span(*path, key=key), hint)] = None

    def report_at(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """Report a diagnostic at a span. A repeated one is kept once."""
        self.diagnostics[Diagnostic(code, message, span, hint)] = None

    def secret(self, message: str, path: Path, hint: str) -> None:
        """Report VSR227 at a value, which no output may show."""
        self.diagnostics[Diagnostic("VSR227", message, self.span(*path), hint, hides=True)] = None

    def _written(self, path: Path) -> Path:
        """Return where a value of an environment is written: at one of its clusters, or in the environment."""
        if path[:1] != ("environments",) or len(path) == 1 or path[1] not in self.clusters:
            return path
        name, cluster = self.clusters[str(path[1])]
        own = ("environments", name, "clusters", cluster, *path[2:])
        return own if self.document.node(own) is not None else ("environments", name, *path[2:])

    def resolve(self, table: Mapping[str, T], name: str, kind: str, path: Path, *, key: bool = False) -> T | None:
        """Look up a name. Report it if it is not defined, and return None.

        Args:
            table: What is defined, by name.
            name: The name.
            kind: What the policy calls such a thing, such as ``model``.
            path: Where the name is written.
            key: Whether it is a key there.
        """
        self.references[Reference(kind, name, self.span(*path, key=key))] = None
        if name in table:
            return table[name]
        # Searching for a similar name is slow, and hints beyond the limit are never shown.
        hint = suggest(name, sorted(table)) if len(self.diagnostics) <= MAX_FINDINGS else ""
        self.report("VSR201", f"{kind} `{name}` is not defined", path, hint or f"Define the {kind} first.", key=key)
        return None
