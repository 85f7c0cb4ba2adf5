"""Envoy's configuration on a host: real endpoints, real certificates, real keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit

from vsr_compiler import ir
from vsr_compiler.deploy import envoy_config
from vsr_compiler.deploy.compose.facts import (
    ADMIN_PORT,
    ALIAS,
    AUTHORITIES,
    HOST_NAME,
    LOCALHOST,
    ROUTER,
    SECRETS_PATH,
)
from vsr_compiler.deploy.compose.ports import inner_ports
from vsr_compiler.deploy.compose.view import place_of
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.extproc import TYPES

EVERYWHERE = "0.0.0.0"  # noqa: S104 - the address in the container; Compose publishes ports on the host's address
LOOPBACK = "127.0.0.1"
KEY_SET = "identity-keys"
HTTPS = 443
CONNECT, LOCAL_CONNECT = "5s", "1s"
KEY_SET_SECONDS = 600
"""Seconds for which keys of tokens are used before they are fetched again."""


def server_alias(endpoint: ir.Endpoint) -> str:
    """Return the name of a model server in the network."""
    return f"{ALIAS}server-{endpoint.object_name}"


def tls_folder(listener: ir.Listener) -> str:
    """Return the folder of a listener's certificate in Envoy's container."""
    return f"{SECRETS_PATH}/tls/{listener.name}"


@dataclass(frozen=True, slots=True)
class HostPlace:
    """The machine of an environment. Its containers find each other by names of the network."""

    policy: ir.Policy
    host: ir.Host

    def admin(self) -> Body:
        """Loopback of the container, which no network reaches."""
        return {"address": _address(LOOPBACK, ADMIN_PORT)}

    def connection(self) -> Body:
        """Clients connect directly: no address that a header claims is believed, and paths have one form."""
        return {
            "merge_slashes": True,
            "normalize_path": True,
            "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
            "use_remote_address": True,
        }

    def listener(self, port: int) -> Body:
        """The port inside of the container."""
        return _address(EVERYWHERE, inner_ports(self.policy.gateway).get(port, port))

    def certificate(self, listener: ir.Listener) -> tuple[str, str]:
        """The keys of a Secret of the type kubernetes.io/tls."""
        return f"{tls_folder(listener)}/tls.crt", f"{tls_folder(listener)}/tls.key"

    def client_authority(self, listener: ir.Listener) -> str:
        """The key of Secrets with authorities."""
        return f"{tls_folder(listener)}/ca.crt"

    def router(self) -> Body:
        """The router's container."""
        return _found(envoy_config.EXT_PROC_CLUSTER, f"{ALIAS}{ROUTER}", self.policy.router.grpc.port, LOCAL_CONNECT)

    def endpoint(self, endpoint: ir.Endpoint, name: str) -> Body:
        """A provider, a model server's container, or whatever has the name of the Service."""
        kind = endpoint.kind
        match kind:
            case ir.Provider(host=host, port=port):
                return {"name": name} | _found(name, host, port, CONNECT) | _tls(host)
            case ir.VllmServer():
                return {"name": name} | _found(name, server_alias(endpoint), vllm.PORT, LOCAL_CONNECT)
            case ir.ExistingService() | ir.ExistingPods() | ir.ExistingPool() | ir.ForeignRoute():
                host, port = place_of(endpoint, self.host)
                host = HOST_NAME if host in LOCALHOST else host
                return {"name": name} | _found(name, host, port, CONNECT)
        assert_never(kind)

    def key_set(self, jwt: ir.Jwt) -> Body:
        """The keys of the issuer. Without them nobody is served."""
        uri = {"uri": jwt.jwks_uri, "cluster": KEY_SET, "timeout": "5s"}
        return {
            "remote_jwks": {
                "http_uri": uri,
                "cache_duration": f"{KEY_SET_SECONDS}s",
                "async_fetch": {"fast_listener": True},
                "retry_policy": {"num_retries": 3},
            }
        }

    def further_clusters(self) -> Iterable[Body]:
        """The server of the issuer's keys."""
        source = self.policy.identity.source if self.policy.identity is not None else None
        if not isinstance(source, ir.Jwt):
            return ()
        url = urlsplit(source.jwks_uri)
        host = str(url.hostname)
        secure = url.scheme == "https"
        found = _found(KEY_SET, host, url.port or (HTTPS if secure else 80), CONNECT)
        return [{"name": KEY_SET} | found | (_tls(host) if secure else {})]


def bootstrap(policy: ir.Policy, host: ir.Host) -> Body:
    """Return Envoy's configuration."""
    return envoy_config.bootstrap(policy, HostPlace(policy, host))


def _found(name: str, host: str, port: int, connect: str) -> Body:
    """Return the fields of a cluster whose address a name server knows, such as that of the network."""
    return {
        "type": "STRICT_DNS",
        "connect_timeout": connect,
        "dns_lookup_family": "V4_PREFERRED",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, port)}}]}],
        },
    }


def _tls(host: str) -> Body:
    """Return the fields of a cluster with TLS: the certificate is for this name, by a public authority."""
    names = [{"san_type": "DNS", "matcher": {"exact": host}}]
    validation = {"trusted_ca": {"filename": AUTHORITIES}, "match_typed_subject_alt_names": names}
    context = {
        "@type": f"{TYPES}.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": host,
        "common_tls_context": {"validation_context": validation},
    }
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def _address(host: str, port: int) -> Body:
    return {"socket_address": {"address": host, "port_value": port}}
