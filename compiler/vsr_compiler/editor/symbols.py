"""The names of a policy: where they are defined, and where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Span
from vsr_compiler.link import references
from vsr_compiler.syntax import Document, Mapping, Scalar, Sequence
from vsr_compiler.syntax.data import parse
from vsr_compiler.syntax.imports import Texts, read_files
from vsr_compiler.targets.target import profiles
from vsr_schemas.policy.v1alpha1 import PolicySpec

SECTIONS = {
    "endpoints": "endpoint",
    "models": "model",
    "classifiers": "classifier",
    "categories": "category",
    "signals": "signal",
    "guards": "guard",
    "environments": "environment",
}
"""Sections whose keys are names, and what such a thing is called in findings."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name at one place: what it names, the name, the place, and whether it is defined there."""

    kind: str
    name: str
    span: Span
    defines: bool


@dataclass(frozen=True, slots=True)
class Symbols:
    """All names of a policy and of its fragments."""

    items: tuple[Symbol, ...]

    def at(self, file: str, line: int, column: int) -> Symbol | None:
        """Return the name at a place; None if there is none. Lines and columns count from 1."""
        for item in self.items:
            span = item.span
            if span.file == file and span.line == line and span.column <= column <= span.end_column:
                return item
        return None

    def same(self, symbol: Symbol) -> list[Symbol]:
        """Return the places of a name, that of its definition first."""
        found = [item for item in self.items if (item.kind, item.name) == (symbol.kind, symbol.name)]
        return sorted(found, key=lambda item: (not item.defines, item.span))

    def names(self, kind: str) -> list[str]:
        """Return the defined names of a kind, sorted."""
        return sorted({item.name for item in self.items if item.kind == kind and item.defines})


def symbols(path: Path, texts: Texts) -> Symbols | None:
    """Return the names of a policy; None if its text is no policy that could be read.

    Args:
        path: The policy.
        texts: Returns the text of a file as the editor has it.
    """
    try:
        files = read_files(path, texts)
        spec = parse(files.union, PolicySpec)
    except CompileError:
        return None
    used = (
        Symbol(item.kind, item.name, item.span, defines=False) for item in references(files.union, spec, profiles())
    )
    defined = list(_defined(files.union))
    places = {item.span for item in defined}
    return Symbols((*defined, *(item for item in used if item.span not in places)))


def _defined(document: Document) -> Iterator[Symbol]:
    for section, kind in SECTIONS.items():
        node = document.node((section,))
        if isinstance(node, Mapping):
            yield from (Symbol(kind, name, span, defines=True) for name, (span, _) in node.entries.items())
    models = document.node(("models",))
    for model in models.entries if isinstance(models, Mapping) else ():
        adapters = document.node(("models", model, "loras"))
        if isinstance(adapters, Mapping):
            yield from (Symbol("model", adapter, span, defines=True) for adapter, (span, _) in adapters.entries.items())
    routes = document.node(("routes",))
    for item in routes.items if isinstance(routes, Sequence) else ():
        name = item.entries.get("name") if isinstance(item, Mapping) else None
        if name is not None and isinstance(name[1], Scalar):
            yield Symbol("route", name[1].text, name[1].span, defines=True)
