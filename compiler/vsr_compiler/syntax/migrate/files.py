"""Policies with the fragments that they import: what a migration changes in each file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.syntax.document import load
from vsr_compiler.syntax.imports import imported
from vsr_compiler.syntax.migrate.convert import migrated
from vsr_compiler.syntax.migrate.versions import REGISTRY, Version
from vsr_compiler.syntax.text import read

_LEFT_TO_CHECK = frozenset({"VSR101", "VSR109", "VSR570", "VSR571"})
"""Findings about the content of fragments: those that concern a migration are found again."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file, its text, and the text in today's version."""

    path: Path
    before: str
    after: str


def plan(paths: Iterable[Path], registry: tuple[Version, ...] = REGISTRY) -> tuple[list[Change], list[Diagnostic]]:
    """Return the files that change, each once, and what prevents it. Nothing is written.

    `imports` and the head of a file are the same in every version, so fragments are found before they are converted.
    """
    found: dict[Path, Change] = {}
    problems: list[Diagnostic] = []
    done: set[Path] = set()
    for path in paths:
        try:
            document = load(read(path, str(path)), str(path))
        except CompileError as error:
            problems += error.diagnostics
            continue
        fragments, wrong = imported(path, document)
        problems += [item for item in wrong if item.code not in _LEFT_TO_CHECK]
        for file in (document, *fragments):
            real = Path(file.name).resolve()
            if real in done:
                continue
            done.add(real)
            try:
                after = migrated(file.text, file.name, registry)
            except CompileError as error:
                problems += error.diagnostics
                continue
            if after != file.text:
                found[real] = Change(Path(file.name), file.text, after)
    return list(found.values()), list(dict.fromkeys(problems))
