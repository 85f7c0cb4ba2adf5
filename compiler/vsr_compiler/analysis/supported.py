"""Environments whose target does not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import suggest


def check(policy: ir.Policy, targets: Collection[str]) -> Iterator[Diagnostic]:
    """VSR105 for each environment whose target is not among the registered ones."""
    for environment in policy.environments:
        if environment.target not in targets:
            message = f"the target `{environment.target}` of the environment `{environment.name}` is not supported"
            yield Diagnostic("VSR105", message, environment.span, suggest(environment.target, sorted(targets)))
