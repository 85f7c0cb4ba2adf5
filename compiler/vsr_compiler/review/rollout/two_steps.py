"""Removals that need a change of their own: a server or Gateway loses what the old router still selects."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping

from vsr_compiler.manifests.immutable import group_kind
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import Body, Environments
from vsr_compiler.review.rollout.overlaps import Router, routers
from vsr_compiler.review.rollout.words import items, label, listed, mapping
from vsr_schemas.reports_diff import RolloutChange

ROUTE = "vsr-route/"
"""What the names of routes with several attempts begin with."""
_FLAGS = ("--served-model-name", "--lora-modules")


def two_steps(trees: Comparison, environments: Environments) -> Iterator[RolloutChange]:
    """Yield servers that no longer know a model, and Gateways that no longer admit a namespace of routes.

    Both change before the router, whose pods select the model until they are replaced: soon by a Deployment, after
    all steps by a Rollout.
    """
    workloads = routers(trees, environments)
    yield from _attempts(environments, workloads)
    texts: dict[tuple[str, str, Router], list[str]] = {}
    for change in environments.changes:
        if change.old is None or change.new is None:
            continue
        match group_kind(change.new):
            case ("apps", "Deployment"):
                lost = sorted(_served(change.old) - _served(change.new))
                what, first = "no longer serves", "with the models still defined, lead their routes to others"
            case (group, "Gateway") if group == GATEWAY_GROUP:
                lost = sorted(_admitted(change.old) - _admitted(change.new))
                what, first = "no longer admits routes of", "remove the models, and keep their endpoints"
            case _:
                continue
        if lost:
            key = f"{label(change.new)} {what} {listed(lost)}", first, workloads[change.environment]
            texts.setdefault(key, []).append(change.environment)
    for (text, first, router), where in texts.items():
        yield RolloutChange(
            text=f"{text} in {listed(where)}: requests that the router still leads there get 404 {router.until}",
            steps=[
                f"For no request to fail, make two changes. First, {first}, and sync.",
                "When all pods have the new version, make the rest of this change."
                if router.overlap
                else "Then make the rest of this change.",
            ],
        )


def _attempts(environments: Environments, workloads: Mapping[str, Router]) -> Iterator[RolloutChange]:
    """Yield routes with several attempts that a gateway no longer has. They change in one object with all others."""
    texts: dict[tuple[str, Router], list[str]] = {}
    for change in environments.changes:
        if change.old is None or change.new is None:
            continue
        if lost := sorted(_chains(change.old) - _chains(change.new)):
            text = f"{label(change.new)} no longer makes the attempts of {listed(lost)}"
            texts.setdefault((text, workloads[change.environment]), []).append(change.environment)
    for (text, router), where in texts.items():
        yield RolloutChange(
            text=f"{text} in {listed(where)}: requests that the router still sends there get 404 {router.until}",
            steps=[
                f"For no request to fail, apply the router's ConfigMap and {router.kind} first, and wait for all pods.",
                "Then apply the rest of this change.",
            ],
        )


def _chains(body: Body) -> set[str]:
    """Return the names of routes with several attempts that an EnvoyFilter or EnvoyPatchPolicy adds."""
    spec = mapping(body.get("spec"))
    values = [mapping(patch.get("patch")).get("value") for patch in items(spec.get("configPatches"))]
    values += [mapping(patch.get("operation")).get("value") for patch in items(spec.get("jsonPatches"))]
    names = {str(mapping(value).get("name")) for value in values}
    return {name.removeprefix(ROUTE) for name in names if name.startswith(ROUTE)}


def _served(body: Body) -> set[str]:
    """Return the names of models that a server of vLLM or its simulator knows by its arguments."""
    pod = mapping(mapping(mapping(body.get("spec")).get("template")).get("spec"))
    names: set[str] = set()
    for container in items(pod.get("containers")):
        arguments = [str(argument) for argument in container.get("args") or []]
        for flag in _FLAGS:
            if flag in arguments:
                rest = arguments[arguments.index(flag) + 1 :]
                names |= {_name(argument) for argument in itertools.takewhile(_is_value, rest)}
    return names


def _is_value(argument: str) -> bool:
    return not argument.startswith("--")


def _name(argument: str) -> str:
    """Return the name of a model; of an adapter without its path."""
    if argument.startswith("{"):
        try:
            return str(mapping(json.loads(argument)).get("name"))
        except ValueError:
            return argument
    return argument.partition("=")[0]


def _admitted(body: Body) -> set[str]:
    """Return the namespaces that the listeners of a Gateway admit by name."""
    names: set[str] = set()
    for listener in items(mapping(body.get("spec")).get("listeners")):
        namespaces = mapping(mapping(listener.get("allowedRoutes")).get("namespaces"))
        for expression in items(mapping(namespaces.get("selector")).get("matchExpressions")):
            names |= {str(value) for value in expression.get("values") or []}
    return names
