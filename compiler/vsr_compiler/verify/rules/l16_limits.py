"""L16: a route is within what its gateway can carry."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.installed import control_planes, pooled_routes
from vsr_compiler.verify.manifest import Body, Manifest, Path, rows, text
from vsr_compiler.verify.manifest_index import AI, GATEWAY_API, World

_ROUTE = {"rules": 16, "matches": 64, "backendRefs": 16, "headers": 16}
_ALL_MATCHES, _AI_RULES, _PORTS, _GRANTS = 128, 15, 8, 16


def rule(world: World) -> Iterator[Diagnostic]:
    """A rule has one InferencePool and nothing beside it, no CORS filter with a pool on Istio, names are unique over
    the routes of a gateway, no two routes of it match the same, no two lead to pools before Istio 1.28.5, and rules,
    matches, backends and ports are within the APIs' limits.
    """  # noqa: D205 - the whole of it is what users read
    for route in world.routes:
        for path, body in route.each("spec", "rules"):
            yield from _pools(world, route, path, body)
        yield from _counts(route)
    yield from _names(world)
    yield from _same(world)
    yield from _one_picker(world)
    for pool in world.pools:
        numbers = [body.get("number") for _, body in pool.each("spec", "targetPorts")]
        if len(numbers) > _PORTS or max(Counter(map(str, numbers)).values(), default=1) > 1:
            message = f"{pool.title} has more than {_PORTS} ports, or one twice"
            yield Diagnostic("VSR416", message, pool.span("spec", "targetPorts"), "Keep at most eight, each once.")
    for grant in world.of("ReferenceGrant", GATEWAY_API):
        for key in ("from", "to"):
            if not 1 <= len(rows(grant.spec.get(key))) <= _GRANTS:
                message = f"{grant.title} must have 1 to {_GRANTS} entries in `{key}`"
                yield Diagnostic("VSR416", message, grant.span("spec", key), "Split the grant.")


def _pools(world: World, route: Manifest, path: Path, body: Body) -> Iterator[Diagnostic]:
    refs = rows(body.get("backendRefs"))
    pools = [ref for ref in refs if ref.get("kind") == "InferencePool"]
    if not pools:
        return
    if len(refs) > 1:
        message = (
            f"a rule of {route.title} has a pool and {len(refs) - 1} more: the last pool's picker gets all requests"
        )
        hint = "Give each pool a rule of its own, and split by model in the router."
        yield Diagnostic("VSR416", message, route.span(*path, "backendRefs"), hint)
    for where, each in route.each(*path, "filters"):
        if world.istio and each.get("type") == "CORS":
            message = f"a rule of {route.title} has a pool and a CORS filter, with which Istio drops the picker"
            yield Diagnostic("VSR416", message, route.span(*where), "Take the filter out of rules with pools.")


def _counts(route: Manifest) -> Iterator[Diagnostic]:
    rules = rows(route.spec.get("rules"))
    limit = _AI_RULES if route.group == AI else _ROUTE["rules"]
    if len(rules) > limit:
        level = Severity.WARNING if route.version == "v1alpha1" else Severity.ERROR
        message = f"{route.title} has {len(rules)} rules, and its API takes {limit}"
        yield Diagnostic("VSR416", message, route.span("spec", "rules"), "Split it into several routes.", level)
    total = sum(len(rows(each.get("matches"))) for each in rules)
    if total > _ALL_MATCHES:
        message = f"{route.title} has {total} matches in all, and the API takes {_ALL_MATCHES}"
        yield Diagnostic("VSR416", message, route.span("spec", "rules"), "Split it into several routes.")
    for path, body in route.each("spec", "rules"):
        headers = max((len(rows(match.get("headers"))) for match in rows(body.get("matches"))), default=0)
        sizes = {key: len(rows(body.get(key))) for key in ("matches", "backendRefs")} | {"headers": headers}
        for key, size in sizes.items():
            if size > _ROUTE[key]:
                message = f"a rule of {route.title} has {size} {key}, and the API takes {_ROUTE[key]}"
                yield Diagnostic("VSR416", message, route.span(*path), "Split the rule.")
        if route.group == AI and body.get("name") == "route-not-found":
            message = "the rule name `route-not-found` is the gateway's own"
            yield Diagnostic("VSR416", message, route.span(*path, "name"), "Rename the rule.")


def _one_picker(world: World) -> Iterator[Diagnostic]:
    """Istio 1.28 up to 1.28.4 kept one picker a gateway (istio/istio#58392)."""
    broken = [each for each in control_planes(world) if each.release and (1, 28, 0) <= each.release < (1, 28, 5)]
    for routes in pooled_routes(world).values() if broken else ():
        for route in routes[1:]:
            number = ".".join(map(str, broken[0].release or ()))
            message = f"Istio {number} keeps the picker of {routes[0].title} only, not that of {route.title}"
            hint = "Use Istio 1.28.5 or later, or one route with several rules."
            yield Diagnostic("VSR416", message, route.span("spec", "rules"), hint)


def _names(world: World) -> Iterator[Diagnostic]:
    seen: dict[tuple[object, ...], Manifest] = {}
    for route in world.routes:
        for path, body in route.each("spec", "rules"):
            name = text(body.get("name"))
            for parent in world.gateways(route) if name else ():
                first = seen.setdefault((route.kind, parent, name), route)
                if first is not route or body is not next(
                    each for each in rows(route.spec["rules"]) if each.get("name") == name
                ):
                    level = Severity.ERROR if world.pools and world.istio else Severity.WARNING
                    message = f"the rule name `{name}` is also in {first.title}: Istio keeps one picker for both"
                    yield Diagnostic("VSR416", message, route.span(*path, "name"), "Give each rule its name.", level)


def _same(world: World) -> Iterator[Diagnostic]:
    seen: dict[str, Manifest] = {}
    for route in world.of("HTTPRoute", GATEWAY_API):
        for path, _ in route.each("spec", "rules"):
            for where, match in route.each(*path, "matches"):
                key = json.dumps(
                    [world.gateways(route), route.spec.get("hostnames"), _canonical(match)], sort_keys=True, default=str
                )
                first = seen.setdefault(key, route)
                if first is not route:
                    message = (
                        f"{route.title} matches what {first.title} matches; only the older of the two gets requests"
                    )
                    yield Diagnostic("VSR416", message, route.span(*where), "Remove one of the two.")


def _canonical(match: Body) -> object:
    """A match with its defaults, so that two spellings of one are the same."""
    path = match.get("path") or {"type": "PathPrefix", "value": "/"}
    headers = sorted(
        (text(each.get("name")).lower(), text(each.get("type")) or "Exact", text(each.get("value")))
        for each in rows(match.get("headers"))
    )
    rest = {key: value for key, value in match.items() if key not in {"path", "headers"}}
    return [path, headers, json.dumps(rest, sort_keys=True, default=str)]
