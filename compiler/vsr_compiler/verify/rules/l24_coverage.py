"""L24: listeners that routes of the router attach to without the router's filter."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.by_gateway import applies_to_gateway
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.listeners import Listener, XdsListener, xds_listener
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.router_filters import (
    HTTP_MANAGERS,
    filters_of,
    offers_http3,
    router_listeners,
)
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for listener, routes in router_listeners(index):
        reason = f"{routes[0].route.title}, which matches `{min(routes[0].headers)}`, attaches to it"
        filters = filters_of(index, listener)
        if not filters:
            yield _uncovered(index, listener, reason)
        # A filter of Envoy Gateway's own API is part of every listener that it makes.
        elif all(item.source.kind == "EnvoyPatchPolicy" for item in filters) and offers_http3(index, listener):
            xds = xds_listener(listener, http3=True)
            if not filters_of(index, listener, http3=True):
                message = f"{listener.title} offers HTTP/3 without an ext_proc filter, but {reason}"
                hint = f"HTTP/3 is a listener of its own in Envoy. Patch `{xds.name}` as well, or remove `http3`."
                yield Diagnostic("VSR624", message, listener.gateway.span(*listener.path), hint)


def _uncovered(index: ManifestIndex, listener: Listener, reason: str) -> Diagnostic:
    """Return the finding about a listener without a filter; a warning if no object adds any filter anywhere."""
    gateway = listener.gateway
    processors = ext_proc_filters(index)
    level = Severity.ERROR if processors else Severity.WARNING
    message = f"no ext_proc filter runs on {listener.title}, but {reason}"
    hint = "Add the router's filter to this listener, or do not attach the route to it."
    for processor in processors:
        source = processor.source
        if source.kind == "EnvoyPatchPolicy" and applies_to_gateway(source, gateway):
            message, hint = _missed(processor, listener, message)
            break
        if source.kind == "EnvoyFilter" and not _targets_any(source, gateway):
            hint = f"Add {gateway.title} to the targetRefs of {source.title}, or do not attach the route to it."
    return Diagnostic("VSR624", message, gateway.span(*listener.path), hint, level)


def _targets_any(source: Manifest, gateway: Manifest) -> bool:
    return source.namespace != gateway.namespace or applies_to_gateway(source, gateway)


def _missed(processor: ExtProcFilter, listener: Listener, message: str) -> tuple[str, str]:
    """Explain why a patch does not change a listener."""
    xds: XdsListener = xds_listener(listener)
    source = processor.source
    patch = as_mapping(source.at(*processor.path[:-2]))
    name = as_string(patch.get("name"))
    if name not in xds.names:
        return (
            f"{message}: {source.title} patches `{name}`, and Envoy Gateway names this listener `{xds.name}`",
            f"Patch `{xds.name}`: a port has one listener in Envoy, with the name of the Gateway's first of that port.",
        )
    chain = "`filter_chains`, because it has TLS" if listener.has_tls else "`default_filter_chain`"
    return (
        f"{message}: {source.title} patches another filter chain, and this listener is in {chain}",
        f"Use the jsonPath {HTTP_MANAGERS}, which selects every filter chain.",
    )


RULE = LinkRule(
    name="L24",
    code="VSR624",
    purpose="Every listener to which a route attaches that matches the router's header has the router's ext_proc "
    "filter: each Gateway, port and hostname, with and without TLS, and HTTP/3. Envoy Gateway has one listener for "
    "each port in Envoy, with the name of the Gateway's first listener of that port, and HTTP/3 is a listener "
    "`NAME-quic` of its own.",
    check=_check,
)
