"""L16: routes beyond the limits of their gateway or API."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.istio import control_planes
from vsr_compiler.verify.listeners import virtual_hosts
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mappings, as_string
from vsr_compiler.verify.manifest_index import AI, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

_ROUTE = {"rules": 16, "matches": 64, "backendRefs": 16, "headers": 16}
_ALL_MATCHES, _AI_RULES, _PORTS, _GRANTS = 128, 15, 8, 16


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for route in index.routes:
        for path, body in route.entries("spec", "rules"):
            yield from _pool_rule(index, route, path, body)
        yield from _counts(route)
    yield from _rule_names(index)
    yield from _duplicate_matches(index)
    yield from _single_picker(index)
    for pool in index.pools:
        numbers = [body.get("number") for _, body in pool.entries("spec", "targetPorts")]
        if len(numbers) > _PORTS or max(Counter(map(str, numbers)).values(), default=1) > 1:
            message = f"{pool.title} has more than {_PORTS} ports, or a port twice"
            hint = f"Keep at most {_PORTS} ports, each once."
            yield Diagnostic("VSR416", message, pool.span("spec", "targetPorts"), hint)
    for grant in index.of_kind("ReferenceGrant", GATEWAY_API):
        for key in ("from", "to"):
            if not 1 <= len(as_mappings(grant.spec.get(key))) <= _GRANTS:
                message = f"{grant.title} must have 1 to {_GRANTS} entries in `{key}`"
                yield Diagnostic("VSR416", message, grant.span("spec", key), "Split the grant.")


def _pool_rule(index: ManifestIndex, route: Manifest, path: Path, body: Body) -> Iterator[Diagnostic]:
    refs = as_mappings(body.get("backendRefs"))
    if not any(ref.get("kind") == "InferencePool" for ref in refs):
        return
    if len(refs) > 1:
        message = (
            f"a rule of {route.title} has {len(refs)} backendRefs with a pool among them: "
            "the last pool's picker gets all requests"
        )
        hint = "Give each pool its own rule, and split by model in the router."
        yield Diagnostic("VSR416", message, route.span(*path, "backendRefs"), hint)
    for filter_path, route_filter in route.entries(*path, "filters"):
        if index.istio and route_filter.get("type") == "CORS":
            message = f"a rule of {route.title} has a pool and a CORS filter, with which Istio drops the picker"
            yield Diagnostic("VSR416", message, route.span(*filter_path), "Remove the filter from rules with pools.")


def _counts(route: Manifest) -> Iterator[Diagnostic]:
    rules = as_mappings(route.spec.get("rules"))
    limit = _AI_RULES if route.group == AI else _ROUTE["rules"]
    if len(rules) > limit:
        level = Severity.WARNING if route.version == "v1alpha1" else Severity.ERROR
        message = f"{route.title} has {len(rules)} rules, but its API allows {limit}"
        yield Diagnostic("VSR416", message, route.span("spec", "rules"), "Split it into several routes.", level)
    total = sum(len(as_mappings(rule.get("matches"))) for rule in rules)
    if total > _ALL_MATCHES:
        message = f"{route.title} has {total} matches in all, but the API allows {_ALL_MATCHES}"
        yield Diagnostic("VSR416", message, route.span("spec", "rules"), "Split it into several routes.")
    for path, body in route.entries("spec", "rules"):
        matches = as_mappings(body.get("matches"))
        headers = max((len(as_mappings(match.get("headers"))) for match in matches), default=0)
        sizes = {key: len(as_mappings(body.get(key))) for key in ("matches", "backendRefs")} | {"headers": headers}
        for key, size in sizes.items():
            if size > _ROUTE[key]:
                message = f"a rule of {route.title} has {size} {key}, but the API allows {_ROUTE[key]}"
                yield Diagnostic("VSR416", message, route.span(*path), "Split the rule.")
        if route.group == AI and body.get("name") == "route-not-found":
            message = "the rule name `route-not-found` is reserved by the gateway"
            yield Diagnostic("VSR416", message, route.span(*path, "name"), "Rename the rule.")


def _single_picker(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report second routes with pools on Istio 1.28.0 to 1.28.4, which keep one picker per gateway.

    Source: istio/istio#58392.
    """
    releases = [control_plane.release for control_plane in control_planes(index)]
    affected = [release for release in releases if release and (1, 28, 0) <= release < (1, 28, 5)]
    for routes in index.routes_with_pools.values() if affected else ():
        for route in routes[1:]:
            release = ".".join(map(str, affected[0]))
            message = f"Istio {release} keeps the picker of {routes[0].title} only, not that of {route.title}"
            hint = "Use Istio 1.28.5 or later, or one route with several rules."
            yield Diagnostic("VSR416", message, route.span("spec", "rules"), hint)


def _rule_names(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report rules with pools and one name: Istio's configuration of pickers is by rule name."""
    first_routes: dict[tuple[tuple[str, str], str], tuple[Manifest, Path]] = {}
    for route in index.of_kind("HTTPRoute", GATEWAY_API) if index.istio and index.pools else ():
        for path, body in route.entries("spec", "rules"):
            name = as_string(body.get("name"))
            if not name or not any(ref.get("kind") == "InferencePool" for ref in as_mappings(body.get("backendRefs"))):
                continue
            for gateway in sorted(set(index.gateways_of(route))):
                first, first_path = first_routes.setdefault((gateway, name), (route, path))
                if (first, first_path) != (route, path) and is_istio_gateway(index, gateway):
                    message = f"the rule name `{name}` is also used in {first.title}: Istio keeps one picker for both"
                    yield Diagnostic("VSR416", message, route.span(*path, "name"), "Rename one of the rules.")


def is_istio_gateway(index: ManifestIndex, key: tuple[str, str]) -> bool:
    """Whether Istio implements a Gateway, by its class; a Gateway that is not among the objects may be Istio's."""
    gateway = index.find(GATEWAY_API, "Gateway", *key)
    return gateway is None or as_string(gateway.spec.get("gatewayClassName")).startswith("istio")


def _duplicate_matches(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report matches of two routes that get the same requests: the same listener, hostname and match."""
    first_routes: dict[tuple[object, ...], Manifest] = {}
    for route in index.of_kind("HTTPRoute", GATEWAY_API):
        hosts = virtual_hosts(index, route)
        for rule_path, rule in route.entries("spec", "rules"):
            entries = list(route.entries(*rule_path, "matches"))
            for path, match in entries or ([] if rule.get("matches") else [(rule_path, {})]):
                canonical = json.dumps(_canonical(match), sort_keys=True, default=str)
                others = [first_routes.setdefault((host, canonical), route) for host in hosts]
                first = next((other for other in others if other.identity != route.identity), None)
                if first is not None:
                    message = f"{route.title} has the same match as {first.title}; only the older route gets requests"
                    hint = "Remove one of the two, or attach them to different listeners or hostnames."
                    beside = route.span("kind").file == first.span("kind").file
                    level = Severity.ERROR if beside else Severity.WARNING
                    yield Diagnostic("VSR416", message, route.span(*path), hint, level)


def _canonical(match: Body) -> object:
    """Return a match with its defaults, in a form that is equal for equivalent matches."""
    path = match.get("path") or {"type": "PathPrefix", "value": "/"}
    headers = sorted(
        (as_string(item.get("name")).lower(), as_string(item.get("type")) or "Exact", as_string(item.get("value")))
        for item in as_mappings(match.get("headers"))
    )
    rest = {key: value for key, value in match.items() if key not in {"path", "headers"}}
    return [path, headers, json.dumps(rest, sort_keys=True, default=str)]


RULE = LinkRule(
    name="L16",
    code="VSR416",
    purpose="A rule with an InferencePool has no other backend and, on Istio, no CORS filter. Rules with pools "
    "have unique names on a gateway of Istio, and no two routes match the same requests: those of the same listener, "
    "hostname and match. Istio 1.28.0 to 1.28.4 has one route "
    "with pools per gateway. Rules, matches, backends, ports and grants are within the limits of their APIs.",
    check=_check,
)
