"""What Envoy may set up while it only validates.

Validation is no rehearsal: a Lua filter runs its script, a Wasm or Go filter loads its code, an access log opens its
file, a data source reads one, a cluster with a DNS name asks for it. None of that may come of looking at a manifest. So
Envoy sets up what is known to do nothing of the kind; of the rest it is asked for the form only.
"""

from __future__ import annotations

from vsr_compiler.verify.extproc import snake
from vsr_compiler.verify.manifest import text

_HTTP = (
    "adaptive_concurrency admission_control api_key_auth bandwidth_limit basic_auth buffer compressor cors csrf "
    "custom_response decompressor ext_authz ext_proc fault grpc_http1_bridge grpc_stats grpc_web header_mutation "
    "header_to_metadata health_check json_to_metadata jwt_authn local_ratelimit on_demand ratelimit rbac router "
    "set_filter_state set_metadata stateful_session"
)
_PLAIN = (
    *(f"envoy.extensions.filters.http.{name}." for name in _HTTP.split()),
    "envoy.config.cluster.v3.",
    "envoy.config.core.v3.",
    "envoy.config.endpoint.v3.",
    "envoy.config.listener.v3.",
    "envoy.config.route.v3.",
    "envoy.extensions.compression.",
    "envoy.extensions.filters.network.connection_limit.",
    "envoy.extensions.filters.network.http_connection_manager.",
    "envoy.extensions.filters.network.local_ratelimit.",
    "envoy.extensions.filters.network.rbac.",
    "envoy.extensions.filters.network.tcp_proxy.",
    "envoy.extensions.http.early_header_mutation.",
    "envoy.extensions.http.header_formatters.",
    "envoy.extensions.http.original_ip_detection.",
    "envoy.extensions.http.stateful_session.",
    "envoy.extensions.load_balancing_policies.",
    "envoy.extensions.matching.common_inputs.",
    "envoy.extensions.matching.http_inputs.",
    "envoy.extensions.path.",
    "envoy.extensions.retry.",
    "envoy.extensions.transport_sockets.raw_buffer.",
    "envoy.extensions.transport_sockets.tls.",
    "envoy.extensions.upstreams.http.",
    "envoy.type.",
    "google.protobuf.",
    "xds.type.matcher.",
)
"""The beginnings of types that load no code, open no file and ask nobody when they are set up."""
_REACHING = frozenset(
    {
        "access_log",
        "config_source",
        "environment_variable",
        "filename",
        "google_grpc",
        "key_log",
        "path_config_source",
        "pipe",
        "private_key_provider",
        "tracing",
        "watched_directory",
    }
)
"""Fields that lead out of the configuration, wherever they stand."""
_TYPE = frozenset({"@type", "type_url"})
_NAMED = frozenset({"STRICT_DNS", "LOGICAL_DNS"})


def loads_nothing(value: object) -> bool:
    """Whether Envoy can set up a value without leaving the configuration."""
    waiting: list[object] = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for key, item in node.items():
                name = snake(key) if key != "@type" else key
                if name in _REACHING or (name in _TYPE and not text(item).rpartition("/")[2].startswith(_PLAIN)):
                    return False
                # A cluster of these types asks for its names when it is set up.
                if (name == "type" and item in _NAMED) or name == "cluster_type":
                    return False
                waiting.append(item)
        elif isinstance(node, list):
            waiting += node
    return True
