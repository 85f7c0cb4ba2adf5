"""L10: requests that bypass the guards or choose their own route."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.header_matches import model_routes
from vsr_compiler.verify.header_readers import header_readers
from vsr_compiler.verify.header_removal import keeps_header, removes_header
from vsr_compiler.verify.listeners import Listener, attached_listeners, routes_of
from vsr_compiler.verify.manifest import Manifest, Path, as_string, as_strings
from vsr_compiler.verify.manifest_index import GATEWAY_API, ManifestIndex
from vsr_compiler.verify.router_config import has_guards
from vsr_compiler.verify.router_filters import filters_of, router_listeners
from vsr_compiler.verify.rules.rule import LinkRule
from vsr_schemas.headers import AI_MODEL, DEBUG, SELECTED_MODEL
from vsr_schemas.obeyed_headers import Component, Impact, ObeyedHeader

_HINT = "Remove it by early_header_mutation_extensions, or ClientTrafficPolicy's earlyRequestHeaders."


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    processors = ext_proc_filters(index)
    guarded = bool(processors) and has_guards(index)
    level = Severity.ERROR if guarded else Severity.WARNING
    for processor in processors:
        source = processor.source
        if processor.fail_open:
            bypassed = "the guards" if guarded else "its checks"
            message = f"requests bypass {bypassed} when the processor of {source.title} fails"
            hint = "Fail closed, so that a request without a decision is denied."
            yield Diagnostic("VSR410", message, source.span(*processor.fail_open), hint, level)
        if processor.config.get("observability_mode") is True:
            message = f"{source.title} only mirrors requests to its processor and ignores the responses"
            yield Diagnostic("VSR410", message, source.span(*processor.path), "Remove observability_mode.", level)
    if processors:
        yield from _kept_headers(index)
        yield from _kept_for_components(index)
        yield from _kept_by_gateways_elsewhere(index, processors)
    for route in index.of_kind("HTTPRoute"):
        yield from _removed_by_route(index, route)
    for envoy_filter in index.of_kind("EnvoyFilter"):
        yield from _removed_by_virtual_host(envoy_filter)


def _kept_headers(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report listeners that leave a client's header to routes that trust it."""
    for listener, routes in router_listeners(index):
        # The first route by each header; if the match requires a header of the proxy, a client's has no effect.
        by_header = {header: item.route for item in reversed(routes) for header in item.open_headers}
        for header, route in sorted(by_header.items(), key=lambda item: item[0]):
            # AI Gateway writes its own header over a client's.
            keeping = keeps_header(index, listener, header) if header != AI_MODEL else None
            if keeping is None or _is_agentgateway(index, listener):
                continue
            cause = f", where {keeping[0].title} applies and no other" if keeping else ""
            message = (
                f"a client that sends `{header}` chooses the route itself: {listener.title}, to which {route.title} "
                f"attaches, does not remove it{cause}"
            )
            hint = (
                "Remove it in that policy as well, or by early_header_mutation_extensions in a patch of this listener."
                if keeping
                else _HINT
            )
            yield Diagnostic("VSR410", message, listener.gateway.span(*listener.path), hint)


def _kept_for_components(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report listeners that leave a client's header to a component; an error if it replaces the selected model.

    A listener that leaves the routing header to clients has an error of its own.
    """
    for listener, routes in router_listeners(index):
        routing = {header for item in routes for header in item.open_headers} - {AI_MODEL}
        if _is_agentgateway(index, listener) or any(
            keeps_header(index, listener, name) is not None for name in routing
        ):
            continue
        for component, headers in header_readers(index, routes_of(index, listener)):
            kept = [header for header in headers if keeps_header(index, listener, header.name) is not None]
            yield from _kept_for(listener, component, [item for item in kept if item.impact is Impact.MODEL])
            yield from _kept_for(listener, component, [item for item in kept if item.impact is not Impact.MODEL])


def _kept_for(listener: Listener, component: Component, headers: list[ObeyedHeader]) -> Iterator[Diagnostic]:
    if headers:
        names = ", ".join(f"`{header.name}`" for header in headers)
        serious = headers[0].impact is Impact.MODEL
        message = (
            f"{component.title} acts on {names} of clients, which {listener.title} does not remove"
            f"{': a client replaces the model that the router selected' if serious else ''}"
        )
        level = Severity.ERROR if serious else Severity.WARNING
        yield Diagnostic("VSR410", message, listener.gateway.span(*listener.path), _HINT, level)


def _kept_by_gateways_elsewhere(index: ManifestIndex, processors: tuple[ExtProcFilter, ...]) -> Iterator[Diagnostic]:
    """Report filters for Gateways that are not among the objects, if nothing in their namespace removes the header."""
    known = {gateway.namespace for gateway in index.of_kind("Gateway", GATEWAY_API)}
    reported: set[int] = set()
    for processor in processors:
        source = processor.source
        if source.namespace in known or source.namespace not in model_routes(index) or id(source) in reported:
            continue
        if source.kind != "AgentgatewayPolicy" and not removes_header(index, source.namespace, SELECTED_MODEL):
            reported.add(id(source))
            message = f"a client that sends `{SELECTED_MODEL}` chooses the route itself: the gateway does not remove it"
            yield Diagnostic("VSR410", message, source.span(*processor.path), _HINT)


def _is_agentgateway(index: ManifestIndex, listener: Listener) -> bool:
    return any(item.source.kind == "AgentgatewayPolicy" for item in filters_of(index, listener))


def _removed_by_route(index: ManifestIndex, route: Manifest) -> Iterator[Diagnostic]:
    """Report removal that comes too late. A route may hide from its backend what the gateway removes from clients."""
    listeners = attached_listeners(index, route)
    if listeners and all(_is_agentgateway(index, listener) for listener in listeners):
        return  # nothing removes a header earlier there, so the processor does
    for rule_path, _ in route.entries("spec", "rules"):
        for path, body in route.entries(*rule_path, "filters"):
            headers: Path = (*path, "requestHeaderModifier", "remove")
            late = [
                name
                for name in map(str.lower, as_strings(route.at(*headers)))
                if not listeners or any(keeps_header(index, listener, name) is not None for listener in listeners)
            ]
            if body.get("type") == "RequestHeaderModifier" and _are_protected(late):
                yield _removed_too_late(route, headers)


def _removed_by_virtual_host(source: Manifest) -> Iterator[Diagnostic]:
    for path, patch in source.entries("spec", "configPatches"):
        if as_string(patch.get("applyTo")) in {"VIRTUAL_HOST", "ROUTE_CONFIGURATION", "HTTP_ROUTE"}:
            for key in ("request_headers_to_remove", "requestHeadersToRemove"):
                headers: Path = (*path, "patch", "value", key)
                if _are_protected(as_strings(source.at(*headers))):
                    yield _removed_too_late(source, headers)


def _are_protected(headers: list[str]) -> bool:
    """Whether a header is among them that the processor reads as its own. Clients may ask for debug headers."""
    return any(name.lower().startswith((SELECTED_MODEL, "x-vsr-", "x-authz-")) for name in headers if name != DEBUG)


def _removed_too_late(source: Manifest, headers: Path) -> Diagnostic:
    message = "the route removes these headers after the processor has read them"
    hint = "Remove them before any filter: early_header_mutation_extensions, or ClientTrafficPolicy."
    return Diagnostic("VSR410", message, source.span(*headers), hint, Severity.WARNING)


RULE = LinkRule(
    name="L10",
    code="VSR410",
    purpose="A processor with guards fails closed, and every listener to which a route of the router attaches removes "
    "the header that chooses the route from client requests before any filter runs. On Envoy Gateway a "
    "ClientTrafficPolicy for a listener replaces the Gateway's as a whole. Removal by a route or virtual host comes "
    "too late. The listener also removes headers by which clients would tell an endpoint picker, Agent Router or "
    "vLLM what to do, such as one that replaces the model; the reference of headers lists them.",
    check=_check,
)
