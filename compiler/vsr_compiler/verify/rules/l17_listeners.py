"""L17: routes that no listener of their gateway accepts."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.listeners import (
    KINDS_BY_PROTOCOL,
    accepts,
    accepts_kind,
    common_domains,
    is_named,
    parent_gateway,
)
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_mappings, as_string, as_strings, value_at
from vsr_compiler.verify.manifest_index import AI, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

AI_ROUTE = ("AIGatewayRoute", AI)
_SHOWN = 4


_KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for route in [*(item for kind in _KINDS for item in index.of_kind(kind, GATEWAY_API)), *index.of_kind(*AI_ROUTE)]:
        for path, ref in route.entries("spec", "parentRefs"):
            gateway = parent_gateway(index, route, ref)
            if gateway is not None and gateway.identity not in index.defined_twice:
                yield from _parent(index, route, path, gateway)


def _parent(index: ManifestIndex, route: Manifest, path: Path, gateway: Manifest) -> Iterator[Diagnostic]:
    listeners = as_mappings(gateway.spec.get("listeners"))
    ref = as_mapping(route.at(*path))
    matching = [listener for listener in listeners if is_named(listener, ref)]
    if not matching:
        names = [as_string(listener.get("name")) for listener in listeners]
        message = f"{gateway.title} has no listener that {route.title} refers to"
        hint = f"Use one of its listeners: {', '.join(names[:_SHOWN]) or 'it has none'}."
        yield Diagnostic("VSR417", message, route.span(*path), hint)
        return
    of_kind = [listener for listener in matching if accepts_kind(listener, route)]
    accepting = [listener for listener in of_kind if accepts(index, gateway, listener, route)]
    if not accepting:
        source = route.namespace or "anywhere"
        message = f"no listener of {gateway.title} accepts a {route.kind} from `{source}`"
        hint = "Set allowedRoutes.namespaces.from to All, or to Selector with labels of that namespace."
        level = Severity.ERROR if _are_related(route, gateway) else Severity.WARNING
        yield Diagnostic("VSR417", message, route.span(*path), hint if of_kind else _kinds_hint(matching), level)
    elif "*" not in (hostnames := as_strings(route.spec.get("hostnames"))) and not any(
        common_domains(listener, route) for listener in accepting
    ):
        own = ", ".join(dict.fromkeys(as_string(listener.get("hostname")) for listener in accepting[:_SHOWN]))
        message = f"no hostname of {route.title} is one of {gateway.title}: every request to it gets 404"
        hint = f"Use hostnames within {own}, or change the listener; the route has {', '.join(hostnames[:_SHOWN])}."
        yield Diagnostic("VSR417", message, route.span("spec", "hostnames"), hint)


def _are_related(route: Manifest, gateway: Manifest) -> bool:
    """Whether a route and a Gateway are not merely of one name in two folders without namespaces."""
    folders = [manifest.span("kind").file.rpartition("/")[0] for manifest in (route, gateway)]
    same = any(one == other or one.startswith(f"{other}/") for one, other in (folders, folders[::-1]))
    return same or gateway.writes_namespace


def _kinds_hint(listeners: list[Body]) -> str:
    """Return what the listeners accept."""
    offers = []
    for listener in listeners[:_SHOWN]:
        kinds = [as_string(item.get("kind")) for item in as_mappings(value_at(listener, "allowedRoutes", "kinds"))]
        protocol = as_string(listener.get("protocol"))
        accepted = ", ".join(kinds) or " or ".join(KINDS_BY_PROTOCOL.get(protocol, ()))
        offers.append(f"`{as_string(listener.get('name'))}` ({protocol}) accepts {accepted}")
    return f"Use a listener with another protocol or other allowedRoutes.kinds: {'; '.join(offers)}."


RULE = LinkRule(
    name="L17",
    code="VSR417",
    purpose="The Gateway or ListenerSet of a route has the listener that the route names, and that listener accepts "
    "routes of this kind from this namespace and has a hostname in common with the route. By default a listener "
    "accepts routes of its own namespace only.",
    check=_check,
)
