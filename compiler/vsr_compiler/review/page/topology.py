"""The way of a request as a drawing: clients, gateway, router, routes, models, endpoints."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.tests import DEFAULT_ROUTE
from vsr_compiler.review.page.model import Drawing, Line, Node

COLUMNS = ("clients", "gateway", "router", "routes", "models", "endpoints")


def topology(policy: ir.Policy) -> Drawing:
    """Return the drawing of a policy."""
    guards = ", ".join(guard.name for guard in policy.guards)
    nodes = [
        Node(0, "client", "clients", _clients(policy)),
        Node(1, "gateway", policy.gateway.name, f"Gateway {policy.gateway.name}"),
        Node(2, "router", "router", f"guards: {guards}" if guards else "no guards"),
    ]
    lines = [Line(0, 1, "requests"), Line(1, 2, "asks for a decision")]
    routes = [(route.name, ir.words(route.when), route) for route in policy.routes]
    places: dict[str, int] = {}
    for name, words, route in routes:
        places[f"route {name}"] = len(nodes)
        nodes.append(Node(3, "route", name, (route.respond and f"{words}: a fixed answer") or words))
    places[f"route {DEFAULT_ROUTE}"] = len(nodes)
    nodes.append(Node(3, "route", DEFAULT_ROUTE, "no other route matches"))
    for model in policy.models:
        places[f"model {model.name}"] = len(nodes)
        nodes.append(Node(4, "outside" if model.external else "model", model.name, _model(model)))
    for endpoint in policy.endpoints:
        places[f"endpoint {endpoint.name}"] = len(nodes)
        kind = "outside" if isinstance(endpoint.kind, ir.Provider) else "endpoint"
        nodes.append(Node(5, kind, endpoint.name, endpoint.host))
    for name, _, route in routes:
        start = places[f"route {name}"]
        lines.append(Line(2, start, "tried in this order"))
        lines += [Line(start, places[f"model {model.name}"], _share(share)) for model, share in route.models]
        lines += _fallbacks(start, route, places)
    start = places[f"route {DEFAULT_ROUTE}"]
    lines.append(Line(2, start, "if none matches"))
    lines.append(Line(start, places[f"model {policy.default.name}"], "all"))
    if policy.default_route is not None:
        lines += _fallbacks(start, policy.default_route, places)
    for model in policy.models:
        total = sum(weight for _, weight in model.endpoints)
        for endpoint, weight in model.endpoints:
            words = _share(100 * weight / total) if total else "none"
            lines.append(Line(places[f"model {model.name}"], places[f"endpoint {endpoint.name}"], words))
    return Drawing(f"The way of a request by the policy {policy.name}", COLUMNS, tuple(nodes), tuple(lines))


def _clients(policy: ir.Policy) -> str:
    if policy.identity is None:
        return "not authenticated by this policy"
    return f"authenticated; known: {', '.join(policy.identity.attributes)}"


def _model(model: ir.Model) -> str:
    words = "outside the cluster" if model.external else "in the cluster"
    return f"{words}, context {model.context}" if model.context else words


def _fallbacks(start: int, route: ir.Route, places: dict[str, int]) -> list[Line]:
    others = route.retry.models if route.retry is not None else ()
    return [
        Line(start, places[f"model {model.name}"], f"fallback {number}", dashed=True)
        for number, model in enumerate(others, 1)
    ]


def _share(share: float) -> str:
    return f"{share:.4g} %"
