"""Listeners of one Envoy: one for each port of the policy, with a filter chain per hostname with TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.extproc import TYPES, buffer_limit

ALPN = ("h2", "http/1.1")


class Sockets(Protocol):
    """Where Envoy listens, and where its certificates are."""

    def listener(self, port: int) -> Body:
        """Return the address of a port of the policy."""

    def certificate(self, listener: ir.Listener) -> tuple[str, str]:
        """Return the files of a listener's certificate and key."""

    def client_authority(self, listener: ir.Listener) -> str:
        """Return the file of the authorities of client certificates."""


def has_listeners(policy: ir.Policy) -> bool:
    """Return whether the policy says where its Gateway listens. Otherwise that is one port for every host."""
    return policy.gateway.listeners != (ir.HTTP,)


def listeners(
    policy: ir.Policy, place: Sockets, manager: Body, redirecting: Body, routes: Sequence[Body]
) -> list[Body]:
    """Return Envoy's listeners, by port.

    Args:
        policy: The policy.
        place: Where Envoy listens.
        manager: The connection manager for requests to models, without its routes.
        redirecting: The same without the router's filter, for ports that only redirect.
        routes: The virtual host of requests to models; its domains are replaced.
    """
    sections: dict[int, list[ir.Section]] = {}
    for section in policy.gateway.sections:
        sections.setdefault(section.listener.port, []).append(section)
    return [_listener(policy, place, own, manager, redirecting, routes) for own in sections.values()]


def _listener(
    policy: ir.Policy, place: Sockets, own: list[ir.Section], manager: Body, redirecting: Body, hosts: Sequence[Body]
) -> Body:
    port = own[0].listener.port
    body: Body = {"name": f"port-{port}", "address": place.listener(port)}
    if own[0].listener.tls is not None:
        body["listener_filters"] = [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {"@type": f"{TYPES}.filters.listener.tls_inspector.v3.TlsInspector"},
            }
        ]
        chains = [
            _chain(section.name, manager, _models(section.name, [section.hostname], hosts)) | _tls(place, section)
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


def _tls(place: Sockets, section: ir.Section) -> Body:
    listener = section.listener
    chain, key = place.certificate(listener)
    certificate = {"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}
    context: Body = {"alpn_protocols": list(ALPN), "tls_certificates": [certificate]}
    socket: Body = {
        "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": context,
    }
    if listener.client_certificates is not None:
        context["validation_context"] = {"trusted_ca": {"filename": place.client_authority(listener)}}
        socket["require_client_certificate"] = True
    match = {"filter_chain_match": {"server_names": [section.hostname]}} if section.hostname else {}
    return match | {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": socket}}
