"""What an object exposes: entry points from outside, and checks that fail open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]
OPEN: Mapping[str, frozenset[Any]] = {
    "failOpen": frozenset({True}),
    "failureMode": frozenset({"FailOpen"}),
    "failurePolicy": frozenset({"FailOpen", "Ignore"}),
    "failure_mode_allow": frozenset({True}),
    "failureModeAllow": frozenset({True}),
}
"""Fields, with their values, that let a request pass if a check fails."""
PUBLIC = frozenset({"LoadBalancer", "NodePort"})


def fail_open_fields(body: Body) -> Iterator[str]:
    """Yield the paths of fields that make an object fail open."""
    yield from _walk(body, "", 0)


def exposures(body: Body) -> Iterator[str]:
    """Yield the entry points from outside that an object opens, each as a phrase."""
    spec = body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    kind = str(body.get("kind"))
    if kind == "Gateway":
        for listener in _dicts(spec.get("listeners")):
            place = f"{listener.get('protocol')} port {listener.get('port')}"
            yield f"listens on {place} for {listener.get('hostname') or 'any host'}"
            namespaces = _dict(_dict(listener.get("allowedRoutes")).get("namespaces")).get("from", "Same")
            if namespaces != "Same":
                yield f"takes routes from namespaces: {namespaces}"
    elif kind == "Service":
        if spec.get("type") in PUBLIC:
            yield f"is a Service of type {spec['type']}"
        yield from (f"answers at the external address {address}" for address in _texts(spec.get("externalIPs")))
    elif kind == "Ingress":
        yield "lets traffic in"
    elif kind == "HTTPRoute":
        rules = _dicts(spec.get("rules"))
        yield from ("routes requests that the router has not sent anywhere" for rule in rules if _is_open(rule))


def _is_open(rule: Mapping[str, Any]) -> bool:
    """Return whether a rule needs no header, unless the gateway itself answers: the last route does, with 404."""
    if _dicts(rule.get("filters")) and not _dicts(rule.get("backendRefs")):
        return False
    return any(not match.get("headers") for match in _dicts(rule.get("matches")) or [{}])


def _walk(value: Any, path: str, depth: int) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for key, child in value.items():
            where = f"{path}.{key}" if path else str(key)
            if key in OPEN and isinstance(child, bool | str) and child in OPEN[key]:
                yield where
            yield from _walk(child, where, depth + 1)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}[{index}]", depth + 1)


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    return [str(item) for item in value] if isinstance(value, list) else []
