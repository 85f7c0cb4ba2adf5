"""What the policy defines and nothing uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import TooHardError
from vsr_compiler.analysis.paths import ways
from vsr_compiler.analysis.requests import Requests
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.link.classifiers import OTHER

LISTED = 4
"""How many names a message lists before it counts."""


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """VSR235 categories, VSR236 models, VSR238 signals, classifiers and endpoints."""
    asked = [leaf for route in policy.routes for leaf in ir.leaves(route.when)]
    yield from _categories(policy, {leaf.category.name for leaf in asked if isinstance(leaf, ir.InCategory)})
    yield from _models(policy, requests)
    used = {leaf.signal.name for leaf in asked if isinstance(leaf, ir.HasSignal)}
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


def _categories(policy: ir.Policy, asked: set[str]) -> Iterator[Diagnostic]:
    """One finding for all of them: a list of twelve lines says no more than one."""
    left = [category for category in policy.categories if category.name not in asked | {OTHER}]
    if left:
        hint = "Give them a route, if only to the default's model, so that the policy says what becomes of them."
        yield Diagnostic("VSR235", f"no route asks for {_listed(left)}", left[0].span, hint)


def _models(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    try:
        chosen = {way.model.name for way in ways(policy, requests) if way.chosen}
    except TooHardError:
        return  # the routes' own check says so
    left = [model for model in policy.models if model.name not in chosen]
    if left:
        them = "it" if len(left) == 1 else "them"
        message = f"the router never selects {_listed(left)}; only clients that name {them} get there"
        yield Diagnostic("VSR236", message, left[0].span, f"Name {them} in a route, or remove {them}.")


def _listed(symbols: Sequence[ir.Category] | Sequence[ir.Model]) -> str:
    """Some names, and how many more."""
    names = ", ".join(f"`{each.name}`" for each in symbols[:LISTED])
    return names + (f" and {len(symbols) - LISTED} more" if len(symbols) > LISTED else "")


def _unused(noun: str, name: str, span: ir.Span, user: str) -> Diagnostic:
    return Diagnostic("VSR238", f"nothing uses the {noun} `{name}`", span, f"Name it in {user}, or remove it.")
