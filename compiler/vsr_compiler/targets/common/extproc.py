"""Envoy's side of the router, in one form for every gateway: the filter, the stripping of headers, the buffer."""

from __future__ import annotations

import re

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_schemas.headers import ANSWERS, CREDENTIALS, GUARDS, SELECTED_MODEL, STRIPPED, TOLD

FILTER_NAME = "vsr.ext_proc"
"""Not Envoy's default name: Istio re-points the filter of that name at an endpoint picker on pool routes."""
TYPES = "type.googleapis.com/envoy.extensions"
MAX_STREAMS = 65_535
"""An ext_proc stream may live as long as its response; Envoy's default of 1,024 would fail requests with 500."""

SMALLEST_WINDOW = 65_535
"""Of a stream of HTTP/2, in bytes, as Envoy allows it: the protocol's own default."""

HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {
            "http2_protocol_options": {"connection_keepalive": {"interval": "10s", "timeout": "5s"}},
        },
    }
}
"""Fields of a cluster: gRPC needs HTTP/2, and a connection that is gone must be seen."""


def duration(milliseconds: int) -> str:
    """A protobuf duration."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03}s" if rest else f"{seconds}s"


def ext_proc_filter(policy: ir.Policy, cluster: str) -> Body:
    """The HTTP filter. BUFFERED, because only then does a header set with the body's answer choose the route.

    Responses are sent only where guards read them: their headers, on which the router says how it wants the rest (a
    document as a whole, a stream in pieces), and pieces where it says nothing. Their headers alone are sent where the
    router tells what it chose; if only to clients that ask, it says so for each of their requests.
    """
    responses, tells = reads_responses(policy), policy.router.response_headers
    return {
        "name": FILTER_NAME,
        "typed_config": {
            "@type": f"{TYPES}.filters.http.ext_proc.v3.ExternalProcessor",
            "allow_mode_override": responses or tells == "on-request",
            "failure_mode_allow": policy.router.fails_open,
            "grpc_service": {"envoy_grpc": {"cluster_name": cluster}},
            "message_timeout": duration(policy.router.deadline),
            "mutation_rules": _mutations(policy),
            "processing_mode": {
                "request_body_mode": "BUFFERED",
                "request_header_mode": "SEND",
                "request_trailer_mode": "SKIP",
                "response_body_mode": "STREAMED" if responses else "NONE",
                # The stock router says there what it chose.
                "response_header_mode": "SEND" if responses or tells == "always" or policy.router.stock else "SKIP",
                "response_trailer_mode": "SEND" if responses else "SKIP",
            },
            "stat_prefix": "vsr",
            "status_on_error": {"code": "ServiceUnavailable"},
        },
    }


def reads_responses(policy: ir.Policy) -> bool:
    """Whether the router must see responses: for what guards find there, to put back what they masked, to keep them."""
    kept = any(route.cache is not None for route in policy.routes)
    return not policy.router.stock and (kept or any(guard.on_responses for guard in policy.guards))


def follows_responses(policy: ir.Policy) -> bool:
    """Whether our router has to do with a request until its response comes, or ends."""
    return reads_responses(policy) or (not policy.router.stock and policy.router.response_headers != "never")


def _mutations(policy: ir.Policy) -> Body:
    """Which headers the router may change. Of what the stock router changes there is no list; never host or method."""
    if policy.router.stock:
        return {"allow_all_routing": False, "allow_envoy": False}
    return {
        "allow_all_routing": False,
        "disallow_is_error": True,
        "allow_expression": {"regex": "|".join(_literal(name) for name in _written(policy))},
        "disallow_all": True,
    }


def _written(policy: ir.Policy) -> list[str]:
    """The headers that the router may touch: the model's, the new body's length, its answers', those that routes edit.

    Guards flag in a header of their own, and must keep responses that they read from being compressed. What a response
    tells is in headers, too.

    Where a provider is outside the cluster, those as well by which a client says who it is: they end here.

    Envoy holds the filter's own answers to the same rules; without them a client would not see when to try again.
    """
    always = [SELECTED_MODEL, "content-length", *ANSWERS]
    if any(model.provider for model in policy.models):
        always += CREDENTIALS
    if any(isinstance(guard.action, ir.Flag) for guard in policy.guards):
        always.append(GUARDS)
    if reads_responses(policy):
        always.append("accept-encoding")
    if policy.router.response_headers != "never":
        always += TOLD
    edited = {name for route in policy.routes for name, _ in route.header_edits}
    return [*always, *sorted(edited - set(always))]


def _literal(name: str) -> str:
    """The name as RE2 takes it for itself; Envoy's pattern must match the whole of it."""
    return re.escape(name).replace(r"\-", "-")


def early_header_mutation() -> Body:
    """Fields of the HttpConnectionManager that strip client headers before any filter runs."""
    return {
        "early_header_mutation_extensions": [
            {
                "name": "vsr.strip_client_headers",
                "typed_config": {
                    "@type": f"{TYPES}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                    "mutations": [{"remove": header} for header in STRIPPED],
                },
            }
        ]
    }


def buffer_limit(policy: ir.Policy) -> Body:
    """Fields of the listener: how long a body may be before Envoy answers 413 by itself."""
    return {"per_connection_buffer_limit_bytes": policy.router.max_body}


def http2_window(policy: ir.Policy) -> int:
    """The same for a stream of HTTP/2, of which Envoy buffers its window in bytes, whatever the listener's limit."""
    return max(policy.router.max_body, SMALLEST_WINDOW)


def client_http2(policy: ir.Policy) -> Body:
    """Fields of the HttpConnectionManager for that; Envoy's own default has changed with its releases."""
    return {"http2_protocol_options": {"initial_stream_window_size": http2_window(policy)}}
