"""L17: routes that no listener of their gateway accepts."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest import (
    Body,
    Manifest,
    as_mapping,
    as_mappings,
    as_string,
    as_string_map,
    as_strings,
    value_at,
)
from vsr_compiler.verify.manifest_index import GATEWAY_API, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for route in index.routes:
        for path, ref in route.entries("spec", "parentRefs"):
            if ref.get("kind", "Gateway") != "Gateway":
                continue
            namespace = as_string(ref.get("namespace")) or route.namespace
            gateway = index.find(GATEWAY_API, "Gateway", namespace, as_string(ref.get("name")))
            if gateway is None:
                continue
            listeners = as_mappings(gateway.spec.get("listeners"))
            matching = [listener for listener in listeners if _is_named(listener, ref)]
            if not matching:
                names = [as_string(listener.get("name")) for listener in listeners]
                message = f"{gateway.title} has no listener that {route.title} refers to"
                hint = f"Use one of its listeners: {', '.join(names) or 'it has none'}."
                yield Diagnostic("VSR417", message, route.span(*path), hint)
            elif not any(_accepts(index, gateway, listener, route) for listener in matching):
                source = route.namespace or "anywhere"
                message = f"no listener of {gateway.title} accepts a {route.kind} from `{source}`"
                hint = "Set allowedRoutes.namespaces.from to All, or to Selector with labels of that namespace."
                yield Diagnostic("VSR417", message, route.span(*path), hint)


def _is_named(listener: Body, ref: Body) -> bool:
    name, port = as_string(ref.get("sectionName")), ref.get("port")
    return name in {"", as_string(listener.get("name"))} and port in (None, listener.get("port"))


def _accepts(index: ManifestIndex, gateway: Manifest, listener: Body, route: Manifest) -> bool:
    kinds = as_mappings(value_at(listener, "allowedRoutes", "kinds"))
    # AI Gateway creates an HTTPRoute from an AIGatewayRoute.
    route_kind = "HTTPRoute" if route.kind == "AIGatewayRoute" else route.kind
    if kinds and not any(kind.get("kind") == route_kind for kind in kinds):
        return False
    source = as_string(value_at(listener, "allowedRoutes", "namespaces", "from")) or "Same"
    if source == "Selector":
        namespace = index.find("", "Namespace", "", route.namespace)
        labels = as_string_map(namespace.at("metadata", "labels")) if namespace else {}
        selector = as_mapping(value_at(listener, "allowedRoutes", "namespaces", "selector"))
        labels = labels | {"kubernetes.io/metadata.name": route.namespace}
        # A namespace that is not among the objects may have any other label.
        return _matches(selector, labels, complete=namespace is not None)
    return source == "All" or (source == "Same" and route.namespace == gateway.namespace)


def _matches(selector: Body, labels: dict[str, str], *, complete: bool) -> bool:
    """Whether labels match a selector; unless they are complete, a missing label matches every expression."""
    pairs = as_string_map(selector.get("matchLabels")).items()
    expressions = [{"key": key, "operator": "In", "values": [value]} for key, value in pairs]
    for expression in [*expressions, *as_mappings(selector.get("matchExpressions"))]:
        value, values = labels.get(as_string(expression.get("key"))), as_strings(expression.get("values"))
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if (value is not None or complete) and not holds.get(as_string(expression.get("operator")), False):
            return False
    return True


RULE = LinkRule(
    name="L17",
    code="VSR417",
    purpose="The Gateway of a route has the listener that the route names, and that listener accepts routes of this "
    "kind from this namespace. By default a listener accepts routes of its own namespace only.",
    check=_check,
)
