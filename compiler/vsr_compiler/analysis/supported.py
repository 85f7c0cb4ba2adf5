"""Nouns that the language has and nothing executes yet: an error at their line, never accepted in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic, Span


def check(policy: ir.Policy, targets: Collection[str]) -> Iterator[Diagnostic]:
    """VSR105 for each noun that would be ignored."""
    for what, span in _environments(policy, targets):
        yield Diagnostic("VSR105", f"{what} not supported yet", span, "Take it out until a release supports it.")


def _environments(policy: ir.Policy, targets: Collection[str]) -> Iterator[tuple[str, Span]]:
    for environment in policy.environments:
        if environment.target not in targets:
            yield f"the target `{environment.target}` is", environment.span
