"""Listeners of the local sandbox: one of Envoy for each port of the policy, with a filter chain per hostname with TLS.

Certificates have the paths of files that the sandbox makes at each start, and ports those of the policy, which the
sandbox replaces by free ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.extproc import TYPES, buffer_limit
from vsr_schemas.sandbox import CERTIFICATES, CLIENT_AUTHORITY

LOOPBACK = "127.0.0.1"
ALPN = ("h2", "http/1.1")


def has_listeners(policy: ir.Policy) -> bool:
    """Return whether the policy says where its Gateway listens. Otherwise that is one port for every host."""
    return policy.gateway.listeners != (ir.HTTP,)


def listeners(policy: ir.Policy, manager: Body, redirecting: Body, routes: Sequence[Body]) -> list[Body]:
    """Return Envoy's listeners, by port.

    Args:
        policy: The policy.
        manager: The connection manager for requests to models, without its routes.
        redirecting: The same without the router's filter, for ports that only redirect.
        routes: The virtual host of requests to models; its domains are replaced.
    """
    sections: dict[int, list[ir.Section]] = {}
    for section in policy.gateway.sections:
        sections.setdefault(section.listener.port, []).append(section)
    return [_listener(policy, port, own, manager, redirecting, routes) for port, own in sections.items()]


def _listener(
    policy: ir.Policy, port: int, own: list[ir.Section], manager: Body, redirecting: Body, hosts: Sequence[Body]
) -> Body:
    body: Body = {
        "name": f"port-{port}",
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
    }
    if own[0].listener.tls is not None:
        body["listener_filters"] = [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {"@type": f"{TYPES}.filters.listener.tls_inspector.v3.TlsInspector"},
            }
        ]
        chains = [
            _chain(section.name, manager, _models(section.name, [section.hostname], hosts)) | _tls(section)
            for section in own
        ]
    elif own[0].listener.redirect is not None:
        redirects = {section.listener.name: section.listener for section in own}
        chains = [_chain(own[0].name, redirecting, [_redirect(policy, each) for each in redirects.values()])]
    else:
        chains = [_chain(own[0].name, manager, _models(own[0].name, [section.hostname for section in own], hosts))]
    return body | {"filter_chains": chains} | buffer_limit(policy)


def _chain(name: str, manager: Body, hosts: Sequence[Body]) -> Body:
    # Clients name the port in `Host` unless it is the usual one.
    table = {"virtual_hosts": list(hosts), "ignore_port_in_host_matching": True}
    config = manager | {"route_config": table, "stat_prefix": f"gateway-{name}"}
    return {
        "name": name,
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": config}],
    }


def _models(name: str, hostnames: list[str], hosts: Sequence[Body]) -> list[Body]:
    domains = ["*"] if "" in hostnames else hostnames
    return [host | {"name": f"{host['name']}-{name}", "domains": domains} for host in hosts]


def _redirect(policy: ir.Policy, listener: ir.Listener) -> Body:
    target = next(other for other in policy.gateway.listeners if other.name == listener.redirect)
    return {
        "name": f"redirect-{listener.name}",
        "domains": list(policy.gateway.hostnames(listener)) or ["*"],
        "routes": [{"match": {"prefix": "/"}, "redirect": {"scheme_redirect": "https", "port_redirect": target.port}}],
    }


def _tls(section: ir.Section) -> Body:
    listener = section.listener
    certificate = {
        "certificate_chain": {"filename": f"{CERTIFICATES}/{listener.name}.crt"},
        "private_key": {"filename": f"{CERTIFICATES}/{listener.name}.key"},
    }
    context: Body = {"alpn_protocols": list(ALPN), "tls_certificates": [certificate]}
    socket: Body = {
        "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": context,
    }
    if listener.client_certificates is not None:
        context["validation_context"] = {"trusted_ca": {"filename": f"{CERTIFICATES}/{CLIENT_AUTHORITY}"}}
        socket["require_client_certificate"] = True
    match = {"filter_chain_match": {"server_names": [section.hostname]}} if section.hostname else {}
    return match | {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": socket}}


def settings(policy: ir.Policy) -> Body:
    """Return what the sandbox must know to make certificates and to ask each listener."""
    if not has_listeners(policy):
        return {}
    return {"listeners": [_settings(policy, listener) for listener in policy.gateway.listeners]}


def _settings(policy: ir.Policy, listener: ir.Listener) -> Body:
    body: Body = {
        "name": listener.name,
        "port": listener.port,
        "hostnames": list(policy.gateway.hostnames(listener)),
    }
    if listener.tls is not None:
        body["tls"] = True
    if listener.client_certificates is not None:
        body["clientCertificates"] = True
    if listener.redirect is not None:
        body["redirect"] = listener.redirect
    return body
