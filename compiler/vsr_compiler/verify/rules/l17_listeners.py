"""L17: routes that no listener of their gateway accepts."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.listeners import accepts, is_named, parent_gateway
from vsr_compiler.verify.manifest import as_mappings, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for route in index.routes:
        for path, ref in route.entries("spec", "parentRefs"):
            gateway = parent_gateway(index, route, ref)
            if gateway is None:
                continue
            listeners = as_mappings(gateway.spec.get("listeners"))
            matching = [listener for listener in listeners if is_named(listener, ref)]
            if not matching:
                names = [as_string(listener.get("name")) for listener in listeners]
                message = f"{gateway.title} has no listener that {route.title} refers to"
                hint = f"Use one of its listeners: {', '.join(names) or 'it has none'}."
                yield Diagnostic("VSR417", message, route.span(*path), hint)
            elif not any(accepts(index, gateway, listener, route) for listener in matching):
                source = route.namespace or "anywhere"
                message = f"no listener of {gateway.title} accepts a {route.kind} from `{source}`"
                hint = "Set allowedRoutes.namespaces.from to All, or to Selector with labels of that namespace."
                yield Diagnostic("VSR417", message, route.span(*path), hint)


RULE = LinkRule(
    name="L17",
    code="VSR417",
    purpose="The Gateway of a route has the listener that the route names, and that listener accepts routes of this "
    "kind from this namespace. By default a listener accepts routes of its own namespace only.",
    check=_check,
)
