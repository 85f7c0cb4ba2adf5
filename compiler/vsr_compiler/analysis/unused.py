"""Definitions that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import TooHardError
from vsr_compiler.analysis.paths import request_paths
from vsr_compiler.analysis.requests import Requests
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.link.classifiers import OTHER

LISTED = 4
"""How many names a message lists before it gives a count."""


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """Report unused categories (VSR235), models (VSR236), and and others (VSR238)."""
    tested = [leaf for route in policy.routes for leaf in ir.leaves(route.when)]
    yield from _categories(policy, {leaf.category.name for leaf in tested if isinstance(leaf, ir.InCategory)})
    yield from _models(policy, requests)
    used = {leaf.signal.name for leaf in tested if isinstance(leaf, ir.HasSignal)}
    for signal in policy.signals:
        if signal.name not in used:
            yield _unused("signal", signal.name, signal.span, "a route")
    detectors = {id(guard.detector) for guard in policy.guards}
    detectors |= {id(ir.detector_of(signal)) for signal in policy.signals}
    for classifier in policy.classifiers:
        if classifier.task != "category" and id(classifier) not in detectors:
            yield _unused("classifier", classifier.name, classifier.span, "a guard or a signal")
    reached = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    for endpoint in policy.endpoints:
        if endpoint.name not in reached:
            yield _unused("endpoint", endpoint.name, endpoint.span, "a model")
    yield from _clusters(policy)


def _clusters(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report clusters that no environment runs on: they get nothing."""
    running = {environment.cluster.name for environment in policy.environments if environment.cluster is not None}
    for cluster in policy.gitops.clusters.values() if policy.gitops is not None else ():
        if cluster.name not in running:
            yield _unused("cluster", cluster.name, cluster.span, "`clusters` of an environment")


def _categories(policy: ir.Policy, tested: set[str]) -> Iterator[Diagnostic]:
    """Report all of them in one diagnostic."""
    unused = [category for category in policy.categories if category.name not in tested | {OTHER}]
    if unused:
        hint = (
            f"Add a route for `{unused[0].name}`, or remove the category."
            if len(unused) == 1
            else "Add a route for each, or remove them."
        )
        yield Diagnostic("VSR235", f"no route uses {_listed('category', 'categories', unused)}", unused[0].span, hint)


def _models(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    try:
        chosen = {path.model.name for path in request_paths(policy, requests) if path.chosen}
    except TooHardError:
        return  # reported by ``routes``
    unused = [model for model in policy.models if model.name not in chosen]
    if unused:
        them = "it" if len(unused) == 1 else "them"
        message = (
            f"the router never selects {_listed('model', 'models', unused)}; only clients that name {them} use {them}"
        )
        yield Diagnostic("VSR236", message, unused[0].span, f"Use {them} in a route, or remove {them}.")


def _listed(one: str, many: str, symbols: Sequence[ir.Category] | Sequence[ir.Model]) -> str:
    """Return the first names, and the number of the others."""
    names = ", ".join(f"`{symbol.name}`" for symbol in symbols[:LISTED])
    return f"{one if len(symbols) == 1 else many} {names}" + (
        f" and {len(symbols) - LISTED} more" if len(symbols) > LISTED else ""
    )


def _unused(kind: str, name: str, span: ir.Span, user: str) -> Diagnostic:
    return Diagnostic("VSR238", f"nothing uses {kind} `{name}`", span, f"Use it in {user}, or remove it.")
