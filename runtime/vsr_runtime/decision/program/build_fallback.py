"""Adds to a program the attempts of its decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from vsr_runtime.decision.program.build import read_target
from vsr_runtime.decision.program.effects import REMOVED, ModelTarget, Reasoning, Removed
from vsr_runtime.decision.program.fallback import SEPARATOR, Fallback
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.runtime import FallbackSettings

_FILE = "runtime.yaml"


def with_fallbacks(
    program: Program, settings: Mapping[str, FallbackSettings] | None, config: contract.RouterConfig
) -> Program:
    """Return the program with the attempts.

    Args:
        program: the program, with the limits of its models.
        settings: the attempts by decision.
        config: the router config, for the reasoning of each decision.

    Raises:
        UserError: the settings name an unknown decision or model.
    """
    if not settings:
        return program
    decisions = {decision.name: decision for decision in config.routing.decisions}
    if unknown := sorted(settings.keys() - decisions.keys()):
        raise config_error(f"fallbacks.{unknown[0]}", "config.yaml has no decision of this name", _FILE)
    routes_of = [name for one in settings.values() for name in one.routes.values()]
    check_unique("fallbacks", routes_of)
    if taken := sorted(set(routes_of) & program.models.keys()):
        raise config_error("fallbacks", f"the route {taken[0]!r} has the name of a model", _FILE)
    routes = tuple(
        replace(route, fallback=_fallback(program, route, settings[route.name], decisions[route.name], config))
        if route.name in settings
        else route
        for route in program.routes
    )
    return replace(program, routes=routes)


def _fallback(
    program: Program,
    route: PolicyRoute,
    settings: FallbackSettings,
    decision: contract.Decision,
    config: contract.RouterConfig,
) -> Fallback:
    place = f"fallbacks.{route.name}"
    if not route.targets:
        raise config_error(place, "the decision has a fixed response; remove it", _FILE)
    if route.selection is not None:
        raise config_error(place, "the decision selects its model by what is observed; remove one of them", _FILE)
    targets = {target.name: target for target, _ in route.targets}
    if set(settings.routes) != set(targets):
        raise config_error(f"{place}.routes", f"must name the decision's models: {', '.join(targets)}", _FILE)
    for name in settings.models:
        if name not in program.models or SEPARATOR in name:
            raise config_error(f"{place}.models", f"config.yaml has no model {name!r}", _FILE)
        targets.setdefault(name, _target(program.models[name], decision.modelRefs[0], config))
    own = [target for target, _ in route.targets]
    return Fallback(
        dict(settings.routes), route.name, tuple(settings.models), settings.attempts, _separated(targets.values(), own)
    )


def _target(target: ModelTarget, like: contract.ModelRef, config: contract.RouterConfig) -> ModelTarget:
    """Return a model as the decision requests it, with the reasoning of the decision's first model."""
    adapters = {lora.name: card.name for card in config.routing.modelCards for lora in card.loras or ()}
    base = adapters.get(target.name)
    ref = like.model_copy(update={"model": base or target.name, "lora_name": target.name if base else None})
    return replace(target, reasoning=read_target("fallbacks", ref, config, {target.name: target}).reasoning)


def _separated(targets: Iterable[ModelTarget], own: Sequence[ModelTarget]) -> dict[str, ModelTarget]:
    """Return the targets by name. Each removes the reasoning fields that the body has for a model of the decision."""
    written = [target.reasoning for target in own if target.reasoning]
    top = {key: REMOVED for reasoning in written for key in reasoning.top}
    template = {key: REMOVED for reasoning in written for key in reasoning.template}
    return {target.name: replace(target, reasoning=_over(top, template, target.reasoning)) for target in targets}


def _over(top: Mapping[str, Removed], template: Mapping[str, Removed], reasoning: Reasoning | None) -> Reasoning | None:
    if not top and not template:
        return reasoning
    if reasoning is None:
        return Reasoning(top, template)
    return Reasoning({**top, **reasoning.top}, {**template, **reasoning.template}, reasoning.effort)
