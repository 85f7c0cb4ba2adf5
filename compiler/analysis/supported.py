"""Nouns that the language has and nothing executes yet: an error at their line, never accepted in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from compiler.diagnostics import Diagnostic, Span
from compiler.link import ir


def check(policy: ir.Policy, targets: Collection[str]) -> Iterator[Diagnostic]:
    """VSR105 for each noun that would be ignored."""
    for what, span in (*_router(policy.router), *_routing(policy), *_environments(policy, targets)):
        yield Diagnostic("VSR105", f"{what} not supported yet", span, "Take it out until a release supports it.")


def _router(router: ir.Router) -> Iterator[tuple[str, Span]]:
    if router.on_failure != "deny":
        yield f"`onFailure: {router.on_failure}` is", router.span


def _routing(policy: ir.Policy) -> Iterator[tuple[str, Span]]:
    yield from (("a response `cache` is", route.span) for route in policy.routes if route.cache is not None)


def _environments(policy: ir.Policy, targets: Collection[str]) -> Iterator[tuple[str, Span]]:
    for environment in policy.environments:
        if environment.target not in targets:
            yield f"the target `{environment.target}` is", environment.span
