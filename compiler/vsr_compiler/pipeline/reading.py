"""Reads a policy file: parse with its fragments, link, analyse."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CODES, CompileError, Diagnostic, Severity
from vsr_compiler.link import link
from vsr_compiler.pipeline.candidates import with_candidates
from vsr_compiler.syntax.data import parse
from vsr_compiler.syntax.ignores import ignores, silence
from vsr_compiler.syntax.imports import PolicyFiles, Texts, read_files
from vsr_compiler.syntax.text import read
from vsr_compiler.targets import environment_targets, profiles
from vsr_schemas.policy.v1alpha1 import PolicySpec

_REPORTED_LATER = frozenset(name for name, code in CODES.items() if code.reported_after_check)
"""Codes that only a compile, its tests or `verify` report: a comment that silences one is not ineffective."""


def read_policy(
    path: Path,
    revise: Callable[[PolicySpec], PolicySpec] | None = None,
    *,
    texts: Texts = read,
    candidates: bool = True,
) -> ir.Policy:
    """Parse, link and analyse a policy file. The policy carries the warnings.

    Args:
        path: The file.
        revise: Changes what the file says before it is linked, such as the releases.
        texts: Returns the text of a file: from the disk, or as an editor has it.
        candidates: Whether to read its candidates, too.

    Raises:
        CompileError: With every finding of the first stage that fails, including its warnings.
    """
    files = read_files(path, texts)
    try:
        spec = parse(files.union, PolicySpec)
        policy = link(files.union, spec if revise is None else revise(spec), profiles())
    except CompileError as error:
        raise CompileError(_silenced(error.diagnostics, files, complete=False)) from None
    diagnostics = _silenced(analyse(policy, environment_targets()), files, complete=True)
    if any(item.level is Severity.ERROR for item in diagnostics):
        raise CompileError(diagnostics)
    if candidates:
        policy = with_candidates(
            policy, path, texts, lambda other, own: read_policy(other, texts=own, candidates=False)
        )
    marks = tuple(mark for document in files.documents for mark in ignores(document.text, document.name))
    return replace(policy, warnings=tuple(diagnostics), ignores=marks, imports=_imports(path, files))


def _silenced(diagnostics: Iterable[Diagnostic], files: PolicyFiles, *, complete: bool) -> list[Diagnostic]:
    """Return the findings that no comment silences, in any of the files."""
    remaining = list(diagnostics)
    for document in files.documents:
        remaining = silence(remaining, document.text, document.name, complete=complete, later=_REPORTED_LATER)
    return remaining


def _imports(path: Path, files: PolicyFiles) -> tuple[ir.Import, ...]:
    return tuple(
        ir.Import(
            fragment.document.name,
            Path(os.path.relpath(fragment.document.name, path.parent)).as_posix(),
            fragment.owner,
            fragment.sha256,
            fragment.span,
        )
        for fragment in files.fragments
    )
