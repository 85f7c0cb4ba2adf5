"""The objects of a target that carry a request to a model: listener, route, pool or backend, endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vsr_compiler.manifests.objects import Object
from vsr_schemas.headers import SELECTED_MODEL
from vsr_schemas.reports_route import CarrierReport

ROUTES = frozenset({"HTTPRoute", "AIGatewayRoute"})
_DEPTH = 4
"""Objects from a route to the last endpoint: a chain of references is longer in no stack."""
_REFERENCES = ("backendRef", "backendRefs", "endpointPickerRef")
_Place = tuple[str, str, str]


def carriers(objects: Iterable[Object], model: str) -> list[CarrierReport]:
    """Return the objects that carry requests of a model, in the order in which a request meets them."""
    by_place = {_place(item): item for item in objects}
    routes = [item for item in by_place.values() if item.kind in ROUTES and any(_rules(item.body, model))]
    found: dict[_Place, CarrierReport] = {}
    for route in routes:
        for parent in _dicts(route.body["spec"].get("parentRefs")):
            gateway = by_place.get(("Gateway", _namespace(parent, route), str(parent.get("name"))))
            if gateway is not None:
                found[_place(gateway)] = _report(gateway, _listeners(gateway.body, parent))
    for route in routes:
        found[_place(route)] = _report(route, f"{SELECTED_MODEL}: {model}")
        for rule in _rules(route.body, model):
            for reference in _references(rule):
                _follow(by_place, route, reference, found, _DEPTH)
    return list(found.values())


def _follow(
    by_place: Mapping[_Place, Object],
    source: Object,
    reference: Mapping[str, Any],
    found: dict[_Place, CarrierReport],
    depth: int,
) -> None:
    """Add the object of a reference, and those that it refers to."""
    kind, name = str(reference.get("kind", "Service")), str(reference.get("name"))
    place = (kind, _namespace(reference, source), name)
    if place in found or not depth:
        return
    share = f", weight {reference['weight']}" if reference.get("weight", 1) != 1 else ""
    item = by_place.get(place)
    if item is None:
        found[place] = CarrierReport(kind=kind, name=f"{place[1]}/{name}", words=f"not ours{share}")
        return
    found[place] = _report(item, f"{_words(item.body)}{share}")
    for inner in _references(item.body.get("spec")):
        _follow(by_place, item, inner, found, depth - 1)


def _references(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a part of an object
    """Yield the references of a rule or spec to what receives its requests."""
    if not isinstance(value, dict):
        return
    for name in _REFERENCES:
        given = value.get(name)
        yield from _dicts(given if isinstance(given, list) else [given])


def _rules(body: Mapping[str, Any], model: str) -> Iterator[dict[str, Any]]:
    """Yield the rules of a route that a request of a model matches."""
    for rule in _dicts(body["spec"].get("rules")):
        for match in _dicts(rule.get("matches")):
            if any(
                str(header.get("name")).lower() == SELECTED_MODEL and header.get("value") == model
                for header in _dicts(match.get("headers"))
            ):
                yield rule
                break


def _listeners(body: Mapping[str, Any], parent: Mapping[str, Any]) -> str:
    wanted = parent.get("sectionName")
    return ", ".join(
        f"listener {one.get('name')}: {one.get('protocol')} {one.get('port')} {one.get('hostname', '')}".rstrip()
        for one in _dicts(body["spec"].get("listeners"))
        if wanted is None or one.get("name") == wanted
    )


def _words(body: Mapping[str, Any]) -> str:
    """Return what an object does with requests, as far as its fields say so."""
    spec = body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if "endpoints" in spec:
        return ", ".join(map(_endpoint, _dicts(spec["endpoints"])))
    selector = spec.get("selector")
    if isinstance(selector, dict) and selector:
        labels = selector.get("matchLabels", selector)
        return f"pods {', '.join(f'{key}={value}' for key, value in sorted(labels.items()))}"
    schema = spec.get("schema")
    return f"API {schema['name']}" if isinstance(schema, dict) and "name" in schema else ""


def _endpoint(endpoint: Mapping[str, Any]) -> str:
    known: dict[str, Any] = next(
        (endpoint[name] for name in ("fqdn", "ip") if isinstance(endpoint.get(name), dict)), {}
    )
    return f"{known.get('hostname', known.get('address', ''))}:{known.get('port', '')}"


def _report(item: Object, words: str) -> CarrierReport:
    return CarrierReport(kind=item.kind, name=f"{item.namespace or ''}/{item.name}", words=words)


def _place(item: Object) -> _Place:
    return (item.kind, item.namespace or "", item.name)


def _namespace(reference: Mapping[str, Any], source: Object) -> str:
    return str(reference.get("namespace") or source.namespace or "")


def _dicts(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a part of an object
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
