"""What is found about a policy without training or writing anything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.pipeline.candidates import share_conflicts
from vsr_compiler.pipeline.reading import read_policy
from vsr_compiler.pipeline.renders import advisories_of, render_policy
from vsr_compiler.pipeline.router_files import loading_errors
from vsr_compiler.syntax.ignores import unsilenced
from vsr_compiler.syntax.imports import Texts
from vsr_compiler.syntax.text import read


def findings(path: Path, today: dt.date | None = None, *, texts: Texts = read) -> list[Diagnostic]:
    """Return every finding about a policy file, errors and warnings, sorted by place.

    Args:
        path: The file.
        today: The day on which releases are judged; None to leave it out.
        texts: Returns the text of a file: from the disk, or as an editor has it.
    """
    try:
        policy = read_policy(path, texts=texts)
    except CompileError as error:
        return error.diagnostics
    refused = [] if isinstance(policy.router.implementation, ir.SemanticRouter) else loading_errors(policy)
    refused += [item for other in policy.candidates.values() for item in loading_errors(other)]
    refused += share_conflicts(policy)
    renders = render_policy(policy, {})
    later = unsilenced(advisories_of(policy, renders, today), policy.ignores)
    return sorted([*policy.warnings, *refused, *renders.errors, *later], key=lambda item: item.order)


def preview(policy: ir.Policy) -> list[Object]:
    """Return the objects of a policy's targets without the router's files, for which heads would be trained."""
    return [item for rendered in render_policy(policy, {}).bases.values() for item in rendered.objects]
