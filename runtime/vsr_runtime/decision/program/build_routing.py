"""Adds the routes of others to the models of a decision program: the header that they match, and names in bodies."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import config_error
from vsr_schemas.runtime import RoutingSettings


def with_routing(program: Program, routing: RoutingSettings | None) -> Program:
    """Return the program with what routes of others need of each model.

    Raises:
        UserError: the settings name an unknown model, leave one out, or the policy has several attempts.
    """
    if routing is None:
        return program
    for name in sorted(routing.models.keys() ^ program.models.keys()):
        missing = name in program.models
        reason = "is missing: no route would match this model" if missing else "config.yaml has no model of this name"
        raise config_error(f"routing.models.{name}", reason, "runtime.yaml")
    if program.chains:
        raise config_error("routing", "routes of others cannot have several attempts", "runtime.yaml")

    def routed(target: ModelTarget) -> ModelTarget:
        known = routing.models[target.name]
        return replace(target, served_as=known.model, routed=((routing.header, known.value),))

    return replace(
        program,
        aliases=_aliases(program, routing),
        models={name: routed(target) for name, target in program.models.items()},
        default_target=program.default_target and routed(program.default_target),
        routes=tuple(
            replace(route, targets=tuple((routed(target), share) for target, share in route.targets))
            for route in program.routes
        ),
    )


def _aliases(program: Program, routing: RoutingSettings) -> dict[str, str]:
    """Return the names by which others know exactly one model, and that are no names of the policy."""
    named: dict[str, set[str]] = {}
    for name, known in routing.models.items():
        for alias in (known.value, known.model):
            named.setdefault(alias, set()).add(name)
    return {alias: min(names) for alias, names in named.items() if len(names) == 1 and alias not in program.names}
