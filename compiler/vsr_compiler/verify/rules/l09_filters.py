"""L09: each ext_proc filter has a name of its own and stands where it works."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import DEFAULT_NAME, Filter, filters
from vsr_compiler.verify.manifest import Manifest, dig, rows, text
from vsr_compiler.verify.manifest_index import AI, ISTIO, World

_HTTP = "envoy.filters.http."
BEHIND_PICKER = frozenset({*(f"{_HTTP}{name}" for name in ("cors", "fault", "grpc_stats", "router")), "istio.stats"})
"""Filters of Istio's gateways that stand behind the endpoint picker's."""
_PLACE = re.compile(r".*/(?:http_filters|httpFilters)/(-|\d+)")


def rule(world: World) -> Iterator[Diagnostic]:
    """An ext_proc filter's name is unique in its gateway and is not Envoy's default, which Istio re-points at a pool's
    picker so that the router never runs; it stands before the filters that need its answer: a pool's picker, AI
    Gateway's own, Envoy's router; and a filter that routes switch on has a route without conditions. Filters that are
    not among the objects are not seen.
    """  # noqa: D205 - the whole of it is what users read
    seen: dict[tuple[str, str, str], Filter] = {}
    for each in filters(world):
        if each.source.group == ISTIO:
            yield from _on_istio(world, each)
        elif each.source.kind == "EnvoyPatchPolicy":
            yield from _patched(world, each)
        elif each.source.kind == "EnvoyExtensionPolicy":
            yield from _switched(world, each)
        if each.is_envoy:
            first = seen.setdefault((each.source.namespace, _gateway(each.source), each.name), each)
            if first is not each:
                message = f"two ext_proc filters of one gateway are named `{each.name}`"
                hint = f"Rename one; the other is in {first.source.title}. Per-route settings go by the name."
                yield Diagnostic("VSR409", message, each.source.span(*each.path, "name"), hint)


def _gateway(source: Manifest) -> str:
    refs = [*rows(source.spec.get("targetRefs")), source.spec.get("targetRef"), source.spec.get("workloadSelector")]
    return ",".join(sorted(text(dig(ref, "name")) or str(dig(ref, "labels")) for ref in refs if ref))


def _on_istio(world: World, each: Filter) -> Iterator[Diagnostic]:
    if each.name == DEFAULT_NAME:
        level = Severity.ERROR if world.pools else Severity.WARNING
        message = f"the filter is named `{DEFAULT_NAME}`, which Istio re-points at the endpoint picker on pool routes"
        hint = "Give it a name of its own, such as `vsr.ext_proc`."
        yield Diagnostic("VSR409", message, each.source.span(*each.path, "name"), hint, level)
    patch = each.path[:-2]
    sub = text(each.source.at(*patch, "match", "listener", "filterChain", "filter", "subFilter", "name"))
    operation = text(each.source.at(*patch, "patch", "operation"))
    if operation == "INSERT_BEFORE" and sub == DEFAULT_NAME:
        message = f"the filter is put before `{DEFAULT_NAME}`, which is only there while a route has a pool"
        hint = "Use INSERT_FIRST: where the other filter is missing, this one is not inserted at all."
        yield Diagnostic("VSR409", message, each.source.span(*patch), hint)
    if operation == "ADD" or (operation == "INSERT_AFTER" and sub == f"{_HTTP}router"):
        message = "the filter is put behind the others, where the route is settled"
        yield Diagnostic("VSR409", message, each.source.span(*patch), "Use INSERT_FIRST.")
    elif world.pools and (
        (operation in {"INSERT_BEFORE", "INSERT_AFTER"} and sub in BEHIND_PICKER)
        or (operation == "INSERT_AFTER" and sub == DEFAULT_NAME)
    ):
        message = f"the filter is put beside `{sub}`, behind the endpoint picker, which chooses a pod before the router"
        yield Diagnostic("VSR409", message, each.source.span(*patch), "Use INSERT_FIRST.")


def _patched(world: World, each: Filter) -> Iterator[Diagnostic]:
    if world.of("AIGatewayRoute", AI) and each.name.startswith(DEFAULT_NAME):
        message = f"Envoy AI Gateway puts its own filter before the first that is named like `{DEFAULT_NAME}`"
        hint = "Give it another name: AI Gateway must read the model after the router has written it."
        yield Diagnostic("VSR409", message, each.source.span(*each.path, "name"), hint)
    where = (*each.path[:-1], "path")
    place = _PLACE.fullmatch(text(each.source.at(*where)))
    if place and place[1] == "-":
        message = "the filter is put behind Envoy's router, where no request comes any more"
        yield Diagnostic("VSR409", message, each.source.span(*where), "Add it at index 0.")
    elif place and int(place[1]) and world.of("AIGatewayRoute", AI):
        message = (
            f"the filter is put at index {place[1]}: Envoy AI Gateway may put its own before one that stands earlier"
        )
        hint = "Add it at index 0: AI Gateway must read the model after the router has written it."
        yield Diagnostic("VSR409", message, each.source.span(*where), hint, Severity.WARNING)


def _switched(world: World, each: Filter) -> Iterator[Diagnostic]:
    if world.of("AIGatewayRoute", AI):
        message = "Envoy AI Gateway's own filter runs before every EnvoyExtensionPolicy, and reads the model first"
        yield Diagnostic("VSR409", message, each.source.span(*each.path), "Use an EnvoyPatchPolicy at index 0.")
    names = {text(ref.get("name")) for ref in rows(each.source.spec.get("targetRefs")) if ref.get("kind") == "Gateway"}
    routes = [
        route
        for route in world.of("HTTPRoute")
        if any(text(ref.get("name")) in names for ref in rows(route.spec.get("parentRefs")))
    ]
    if routes and not any(_open(rule_) for route in routes for _, rule_ in route.each("spec", "rules")):
        message = f"every rule behind {each.source.title} matches headers, so the processor that sets them never runs"
        hint = "Add a route without header matches: the filter is switched on by the first route that matches."
        yield Diagnostic("VSR409", message, each.source.span(*each.path), hint)


def _open(rule_: dict[str, object]) -> bool:
    matches = rows(rule_.get("matches"))
    return not matches or any(not match.get("headers") for match in matches)
