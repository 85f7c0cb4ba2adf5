"""The order of HTTP filters in the filter chains of gateways, and the filters before which the router's filter goes.

A filter of the router must run after those that authenticate, which then judge the client's own credentials and answer
everybody else, and before those that read the router's decision: endpoint pickers, limits and authorization by route.
"""

from __future__ import annotations

HTTP = "envoy.filters.http."


def _names(*names: str) -> tuple[str, ...]:
    return tuple(f"{HTTP}{name}" if "." not in name else name for name in names)


PICKER = f"{HTTP}ext_proc"
"""Istio's filter for endpoint pickers. A filter chain has it while a route of its Gateway has an InferencePool."""

ISTIO = _names(
    *("ext_authz", "jwt_authn", "rbac", "ext_proc", "grpc_stats", "alpn", "fault", "cors", "istio.stats", "router")
)
"""A Gateway's filters in Istio 1.30.3 (pilot/pkg/networking/core/listener_builder.go, buildHTTPConnectionManager)."""

ISTIO_ANCHOR = f"{HTTP}grpc_stats"
"""Istio adds it to every filter chain, behind authentication and the endpoint picker."""

ENVOY_GATEWAY = _names(
    *("custom_response", "health_check", "fault", "cors", "header_mutation", "ext_authz", "api_key_auth", "basic_auth"),
    *(
        "oauth2",
        "jwt_authn",
        "stateful_session",
        "buffer",
        "lua",
        "ext_proc",
        "wasm",
        "dynamic_modules",
        "geoip",
        "rbac",
    ),
    *("local_ratelimit", "ratelimit", "bandwidth_limit", "grpc_web", "grpc_stats", "credential_injector"),
    *("compressor", "dynamic_forward_proxy", "router"),
)
"""Envoy Gateway 1.6.7 and 1.8.3: the default of `filterOrder` in their CRD of EnvoyProxy (1.6.7 lacks the filters
dynamic_modules, geoip, bandwidth_limit and dynamic_forward_proxy)."""

ENVOY_GATEWAY_ANCHOR = f"{HTTP}buffer"
"""Envoy Gateway adds it while a route has a `requestBuffer`. Envoy AI Gateway puts its own filter behind it."""
