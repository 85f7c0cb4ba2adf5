"""L17: a gateway's listener takes the route."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest import Body, Manifest, dig, labels, rows, table, text, texts
from vsr_compiler.verify.manifest_index import GATEWAY_API, World


def rule(world: World) -> Iterator[Diagnostic]:
    """A route's parent has the listener that it names, and that listener takes routes of its kind from its namespace;
    left out, a listener takes routes of its own namespace only.
    """  # noqa: D205 - the whole of it is what users read
    for route in world.routes:
        for path, ref in route.each("spec", "parentRefs"):
            if ref.get("kind", "Gateway") != "Gateway":
                continue
            space = text(ref.get("namespace")) or route.namespace
            gateway = world.find(GATEWAY_API, "Gateway", space, text(ref.get("name")))
            if gateway is None:
                continue
            listeners = [each for each in rows(gateway.spec.get("listeners")) if _named(each, ref)]
            if not listeners:
                known = [text(each.get("name")) for each in rows(gateway.spec.get("listeners"))]
                message = f"{gateway.title} has no listener that {route.title} asks for"
                hint = f"It has {', '.join(known) or 'none'}."
                yield Diagnostic("VSR417", message, route.span(*path), hint)
            elif not any(_admits(world, gateway, each, route) for each in listeners):
                message = f"no listener of {gateway.title} takes a {route.kind} from `{route.namespace or 'anywhere'}`"
                hint = "Set allowedRoutes.namespaces.from to All, or to Selector with labels of that namespace."
                yield Diagnostic("VSR417", message, route.span(*path), hint)


def _named(listener: Body, ref: Body) -> bool:
    name, port = text(ref.get("sectionName")), ref.get("port")
    return name in {"", text(listener.get("name"))} and port in (None, listener.get("port"))


def _admits(world: World, gateway: Manifest, listener: Body, route: Manifest) -> bool:
    kinds = rows(dig(listener, "allowedRoutes", "kinds"))
    # An AIGatewayRoute becomes an HTTPRoute.
    kind = "HTTPRoute" if route.kind == "AIGatewayRoute" else route.kind
    if kinds and not any(each.get("kind") == kind for each in kinds):
        return False
    source = text(dig(listener, "allowedRoutes", "namespaces", "from")) or "Same"
    if source == "Selector":
        space = world.find("", "Namespace", "", route.namespace)
        own = labels(space.at("metadata", "labels")) if space else {}
        wanted = table(dig(listener, "allowedRoutes", "namespaces", "selector"))
        # A namespace that is not among the objects may bear any label, but not another's name.
        return _selects(wanted, own | {"kubernetes.io/metadata.name": route.namespace}, complete=space is not None)
    return source == "All" or (source == "Same" and route.namespace == gateway.namespace)


def _selects(wanted: Body, own: dict[str, str], *, complete: bool) -> bool:
    """Whether labels meet a selector, as far as they are known."""
    pairs = [
        {"key": key, "operator": "In", "values": [value]} for key, value in labels(wanted.get("matchLabels")).items()
    ]
    for each in [*pairs, *rows(wanted.get("matchExpressions"))]:
        value, values = own.get(text(each.get("key"))), texts(each.get("values"))
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if (value is not None or complete) and not holds.get(text(each.get("operator")), False):
            return False
    return True
