"""Envoy's configuration for the router, shared by all gateways: the ext_proc filter, header removal, body limits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.routerconfig import credentials
from vsr_compiler.targets.common.identity import changed_headers as identity_headers
from vsr_compiler.targets.common.identity import own_headers
from vsr_compiler.targets.common.router_failover import stream_metadata
from vsr_schemas.headers import (
    ANSWERS,
    CHAIN,
    CORS,
    CREDENTIALS,
    DEBUG_HEADERS,
    DECIDED,
    DECIDED_VALUE,
    GUARDS,
    MAX_RETRIES,
    RATE_HEADERS,
    SELECTED_MODEL,
    STRIPPED,
    STRIPPED_PREFIXES,
)
from vsr_schemas.runtime import METADATA_NAMESPACE, UPLOAD_SECONDS

FILTER_NAME = "vsr.ext_proc"
"""Not Envoy's default name: on routes to pools, Istio points the filter of the default name at the endpoint picker."""
MARK_NAME = "vsr.header_mutation"
"""The filter before it, without which routes to models do not match."""
TYPES = "type.googleapis.com/envoy.extensions"
MAX_STREAMS = 65_535
"""An ext_proc stream can last as long as its response. With Envoy's default of 1,024 requests would fail with 500."""

CLIENT_STREAMS = 100
"""Concurrent requests of one HTTP/2 connection of a client; the least that RFC 9113 recommends. Envoy's default is
2 billion: a few connections could take every stream of the router."""
CLIENT_CONNECTIONS = 10_000
"""Connections of all clients to one proxy. Envoy has no limit, and each takes a file descriptor and some 50 KiB."""
HEADERS_SECONDS = 10
"""Seconds for the headers of a request to arrive."""
MIN_WINDOW = 65_535
"""The smallest HTTP/2 stream window that Envoy allows, in bytes; also the protocol's default."""

HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {
            "http2_protocol_options": {"connection_keepalive": {"interval": "10s", "timeout": "5s"}},
        },
    }
}
"""Fields of a cluster: gRPC needs HTTP/2, and keepalives detect lost connections."""


def duration(milliseconds: int) -> str:
    """Return a protobuf duration."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03}s" if rest else f"{seconds}s"


def router_filters(
    policy: ir.Policy,
    cluster: str,
    removed: Iterable[str] = (SELECTED_MODEL,),
    *,
    retries: bool = False,
    writes: tuple[str, ...] = (),
) -> list[Body]:
    """Return the HTTP filters of the router, in their order. A gateway inserts all of them at one place, or none.

    The first one removes headers once more, and sets the header that routes require beside the router's.

    Args:
        policy: The policy.
        cluster: The router's cluster.
        removed: Headers that lead to a model, if another object can replace their early removal. What authentication
            may set by now, such as identities, is not among them.
        retries: Whether the gateway repeats requests by itself, which is switched off.
        writes: Headers that the router sets besides those of every policy.
    """
    return [header_mark(removed, retries=retries), ext_proc_filter(policy, cluster, writes=writes)]


def header_mark(removed: Iterable[str], *, retries: bool) -> Body:
    """Return the filter that sets the header which routes require beside the router's, and removes others.

    A gateway's own ``retries`` would multiply those of the policy, and repeat a request that a model has worked on.
    Envoy takes their number from a header in preference to the route's.
    """
    values = {DECIDED: DECIDED_VALUE} | ({MAX_RETRIES: "0"} if retries else {})
    appended = [
        {"append": {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
        for key, value in values.items()
    ]
    return {
        "name": MARK_NAME,
        "typed_config": {
            "@type": f"{TYPES}.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [*({"remove": header} for header in removed), *appended]},
        },
    }


def ext_proc_filter(policy: ir.Policy, cluster: str, *, local: bool = False, writes: tuple[str, ...] = ()) -> Body:
    """Return the HTTP filter. A ``local`` one calls a single router, whatever the policy's replicas.

    The router ``writes`` these headers besides those of every policy.

    Request bodies are BUFFERED: only then does a header that the router sets after reading the body select the route.
    Response bodies are sent to the router only if guards or caches read them. The router then chooses per response
    between a whole document and a stream. Response headers alone are sent if the router adds debug headers; with
    `on-request` it enables this per request.
    """
    responses, debug = reads_responses(policy), policy.router.response_headers
    cors = policy.gateway.cors is not None
    stock = isinstance(policy.router.implementation, ir.SemanticRouter)
    # By the client's address our router gives every client its share.
    attributes: Body = {} if stock else {"request_attributes": ["source.address"]}
    # Envoy ignores metadata of namespaces that are not listed.
    metadata: Body = {}
    if policy.router.access_log_metadata:
        metadata = {"metadata_options": {"receiving_namespaces": {"untyped": [METADATA_NAMESPACE]}}}
    return {
        "name": FILTER_NAME,
        "typed_config": {
            "@type": f"{TYPES}.filters.http.ext_proc.v3.ExternalProcessor",
            "allow_mode_override": responses or debug == "on-request",
            "failure_mode_allow": policy.router.fails_open,
            "grpc_service": {"envoy_grpc": {"cluster_name": cluster}}
            | ({} if local else stream_metadata(policy.router)),
            "message_timeout": duration(policy.router.deadline),
            **metadata,
            "mutation_rules": _mutations(policy, writes),
            **attributes,
            "processing_mode": {
                "request_body_mode": "BUFFERED",
                "request_header_mode": "SEND",
                "request_trailer_mode": "SKIP",
                "response_body_mode": "STREAMED" if responses else "NONE",
                # The stock router adds its decision there.
                "response_header_mode": "SEND" if responses or cors or debug == "always" or stock else "SKIP",
                "response_trailer_mode": "SEND" if responses else "SKIP",
            },
            "stat_prefix": "vsr",
            "status_on_error": {"code": "ServiceUnavailable"},
        },
    }


def reads_responses(policy: ir.Policy) -> bool:
    """Return whether the router reads responses: for guards, restoring masked values, caches or limits."""
    caches = any(route.cache is not None for route in policy.routes)
    return not isinstance(policy.router.implementation, ir.SemanticRouter) and (
        caches
        or any(guard.on_responses for guard in policy.guards)
        or any(limit.unit != "requests" and not limit.by_gateway for limit in policy.limits)
    )


def follows_responses(policy: ir.Policy) -> bool:
    """Return whether our router is involved in a request until its response starts or ends."""
    return reads_responses(policy) or (
        not isinstance(policy.router.implementation, ir.SemanticRouter)
        and (policy.router.response_headers != "never" or policy.gateway.cors is not None)
    )


def _mutations(policy: ir.Policy, writes: tuple[str, ...]) -> Body:
    """Return which headers the router may change. For the stock router there is no list, but never host or method."""
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        return {"allow_all_routing": False, "allow_envoy": False}
    if any(guard.on in {"response", "both"} for guard in policy.guards):
        # Guards remove any header of a response in which they find something. Envoy has no rules for responses only.
        allowed: Body = {
            "allow_expression": {"regex": ":path|[^:].*" if credentials.sets_query(policy) else "[^:].*"},
            "disallow_expression": {"regex": "host"},
        }
    else:
        names = dict.fromkeys((*_changed_headers(policy), *writes))
        allowed = {"allow_expression": {"regex": "|".join(_as_pattern(name) for name in names)}}
    return {"allow_all_routing": False, "disallow_is_error": True, **allowed, "disallow_all": True}


def _changed_headers(policy: ir.Policy) -> list[str]:
    """Return the headers that the router may change.

    These are the selected model, the models and the number of several attempts, the length of a changed body, headers
    of the router's own responses such as `retry-after` (Envoy applies the rules to those as well), and the headers that
    routes edit. With endpoints that need credentials, those of clients are replaced, and some providers need a query or
    headers of their own. Guards that flag add a header; guards that read responses prevent compression, and replace the
    body of a compressed error. Debug headers are added on request.
    """
    headers = [SELECTED_MODEL, "content-length", *ANSWERS]
    if any(not limit.by_gateway for limit in policy.limits):
        headers += RATE_HEADERS
    if policy.retrying:
        headers += [CHAIN, MAX_RETRIES]
    if any(model.keyed for model in policy.models):
        headers += [*CREDENTIALS, *credentials.other_key_headers(policy), *credentials.default_headers(policy)]
    if credentials.sets_query(policy):
        headers.append(":path")
    if any(isinstance(guard.action, ir.Flag) for guard in policy.guards):
        headers.append(GUARDS)
    if reads_responses(policy):
        headers += ["accept-encoding", "content-encoding"]
    if policy.router.response_headers != "never":
        headers += DEBUG_HEADERS
    if policy.gateway.cors is not None:
        headers += CORS
    headers += [name for name in identity_headers(policy) if name not in headers]
    routes = (*policy.routes, *([policy.default_route] if policy.default_route else []))
    edited = {name for route in routes for name, _ in route.header_edits}
    return [*headers, *sorted(edited - set(headers))]


def _as_pattern(name: str) -> str:
    """Return the RE2 pattern of a name. Envoy matches it against the whole name."""
    return re.escape(name).replace(r"\-", "-")


def header_removals(own: Iterable[str] = ()) -> list[Body]:
    """Return the mutations that remove what no client may send.

    Envoy matches names by prefix since 1.36, the first release with `status_on_error` of the filter.
    """
    return [
        *({"remove": name} for name in dict.fromkeys((*STRIPPED, *own))),
        *({"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in STRIPPED_PREFIXES),
    ]


def early_header_mutation(policy: ir.Policy | None = None, also: Iterable[str] = ()) -> Body:
    """Return the fields of the HttpConnectionManager that remove client headers before any filter runs."""
    return {
        "early_header_mutation_extensions": [
            {
                "name": "vsr.strip_client_headers",
                "typed_config": {
                    "@type": f"{TYPES}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                    "mutations": header_removals((*(own_headers(policy) if policy else ()), *also)),
                },
            }
        ]
    }


def buffer_limit(policy: ir.Policy) -> Body:
    """Return the listener's limit on buffered bodies; above it Envoy responds with 413."""
    return {"per_connection_buffer_limit_bytes": policy.router.max_body}


def http2_window(policy: ir.Policy) -> int:
    """Return the same limit for an HTTP/2 stream: Envoy buffers the window regardless of the listener's limit."""
    return max(policy.router.max_body, MIN_WINDOW)


def client_http2(policy: ir.Policy) -> Body:
    """Return the HTTP/2 fields of the HttpConnectionManager. Envoy's defaults differ by release."""
    return {
        "http2_protocol_options": {
            "initial_stream_window_size": http2_window(policy),
            "max_concurrent_streams": CLIENT_STREAMS,
        }
    }


def connection_limit() -> Body:
    """Return the network filter that closes connections above the limit."""
    return {
        "name": "vsr.connection_limit",
        "typed_config": {
            "@type": f"{TYPES}.filters.network.connection_limit.v3.ConnectionLimit",
            "max_connections": CLIENT_CONNECTIONS,
            "stat_prefix": "vsr",
        },
    }


def client_timeouts(policy: ir.Policy) -> Body:
    """Return the fields of the HttpConnectionManager that bound how long a client may send a request.

    A reasoning model can be silent for long, so a response has no other deadline than the whole request.
    """
    return {
        "request_headers_timeout": f"{HEADERS_SECONDS}s",
        "request_timeout": f"{UPLOAD_SECONDS}s",
        "stream_idle_timeout": duration(policy.gateway.timeout),
    }
