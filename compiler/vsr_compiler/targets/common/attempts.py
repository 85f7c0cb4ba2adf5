"""Attempts on plain Envoy: the proxy sends a request to itself, once for each attempt.

A retry of Envoy repeats a request as it is. So each attempt passes a second listener, which is in no network and only
the proxy itself can reach. There the router's filter chooses the model of the attempt, with its name in the body, its
key and its route. The first listener counts, times and limits the attempts, and sees how each of them failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.extproc import (
    MAX_STREAMS,
    TYPES,
    duration,
    ext_proc_filter,
    header_mark,
)
from vsr_schemas.headers import (
    ANSWERED_BY,
    ATTEMPTS,
    DECIDED,
    DECIDED_VALUE,
    OUTCOME,
    SELECTED_MODEL,
)
from vsr_schemas.policy.v1alpha1.fallback import FailureName
from vsr_schemas.runtime import FRAME_BYTES

SOCKET = f"@{ATTEMPTS}"
"""The abstract socket of the listener: each pod has a network namespace of its own, so no other pod reaches it."""
ATTEMPTS_HOST = "vsr-attempts"
"""The first label of the host of attempts, if the listener has a wildcard."""
_MODEL = "vsr.model"
MIN_BUDGET = 3
"""Further attempts that are always allowed at a time, whatever the budget; Envoy's default."""
_FLAGS: dict[FailureName, str] = {
    "connect": "UF|UH|UO|NC",
    "reset": "UC|UR|LR|UPE",
    "timeout": "UT",
}
"""Envoy's response flags by failure. `connect`: no host has read any of the request."""
_STATUSES: dict[FailureName, str] = {"5xx": "5[0-9][0-9]", "429": "429"}


@dataclass(frozen=True, slots=True)
class Chain:
    """The attempts of a route that begin with one of its models. ``name`` is the value of `x-selected-model`."""

    name: str
    route: ir.Route
    first: ir.Model
    retry: ir.Retry


def chains(policy: ir.Policy) -> list[Chain]:
    """Return the chains of a policy: one per route, or one per model of a split."""
    return [
        Chain(ir.chain_name(route, model), route, model, route.retry)
        for route in policy.retrying
        if route.retry is not None
        for model, _ in route.models
    ]


def cluster_name(chain: Chain) -> str:
    """Return the name of a chain's cluster. Each chain has its own, so that none uses up the budget of another."""
    return f"{ATTEMPTS}/{chain.name}"


def cluster(chain: Chain, socket: str = SOCKET) -> Body:
    """Return the cluster by which the proxy reaches its own listener."""
    name = cluster_name(chain)
    limits: Body = {"max_connections": MAX_STREAMS, "max_pending_requests": MAX_STREAMS, "max_requests": MAX_STREAMS}
    limits["retry_budget"] = {
        "budget_percent": {"value": chain.retry.budget},
        "min_retry_concurrency": MIN_BUDGET,
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": socket}}}}]}],
        },
    }


def route(policy: ir.Policy, chain: Chain) -> Body:
    """Return Envoy's route of a chain. It matches what the router and its filters have set, as other routes do.

    A retry repeats the body up to the listener's limit, which is `maxBody`.
    """
    headers = [
        {"name": name, "string_match": {"exact": value}}
        for name, value in ((SELECTED_MODEL, chain.name), (DECIDED, DECIDED_VALUE))
    ]
    return {
        "name": chain.name,
        "match": {"prefix": "/", "headers": headers},
        "route": {
            "cluster": cluster_name(chain),
            **_host(policy),
            "timeout": duration(policy.gateway.timeout),
            "retry_policy": retry_policy(chain.retry),
        },
        "response_headers_to_remove": [OUTCOME],
    }


def _host(policy: ir.Policy) -> Body:
    """Return the host of attempts: one that the first listener takes, whose routes they use."""
    hostname = policy.gateway.model_sections[0].hostname
    return {"host_rewrite_literal": hostname.replace("*", ATTEMPTS_HOST)} if hostname else {}


def retry_policy(retry: ir.Retry) -> Body:
    """Return the retries. The failures of an attempt are in a header, except that it took too long to begin."""
    conditions = ["retriable-headers", *(["reset"] if "timeout" in retry.on else [])]
    body: Body = {
        "num_retries": retry.attempts - 1,
        "retriable_headers": [{"name": OUTCOME, "string_match": {"safe_regex": {"regex": outcome_pattern(retry.on)}}}],
        "retry_on": ",".join(conditions),
    }
    # Envoy ignores this time once a response has begun.
    return body | ({"per_try_timeout": duration(retry.first_byte)} if retry.first_byte is not None else {})


def outcome_pattern(failures: Sequence[FailureName]) -> str:
    """Return the RE2 pattern of outcomes after which a request is sent again: `FLAGS STATUS`."""
    flags = [_FLAGS[failure] for failure in failures if failure in _FLAGS]
    statuses = [_STATUSES[failure] for failure in failures if failure in _STATUSES]
    parts = [f"([A-Z]+,)*({'|'.join(flags)})(,[A-Z]+)* [0-9]+"] if flags else []
    # A gateway's own retries, which are switched off, leave the flag of their end at the model's response.
    parts += [f"(-|URX) ({'|'.join(statuses)})"] if statuses else []
    return "|".join(parts)


def listener(policy: ir.Policy, router_cluster: str, routes: Body, between: Sequence[Body] = ()) -> Body:
    """Return the listener on which the proxy receives the attempts.

    Args:
        policy: The policy.
        router_cluster: The router's cluster.
        routes: The field of the connection manager with the routes, which are those of other requests.
        between: Filters between the router's and the last one, such as those of endpoint pickers.
    """
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "generate_request_id": False,
        "http_filters": [*_filters(policy, router_cluster), _model(), *between, _outcome(), _router()],
        "normalize_path": True,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "skip_xff_append": True,
        "stat_prefix": ATTEMPTS,
        "stream_idle_timeout": duration(policy.gateway.timeout),
    } | routes
    return {
        "name": ATTEMPTS,
        "address": {"pipe": {"path": SOCKET}},
        "filter_chains": [
            {
                "name": ATTEMPTS,
                "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
            }
        ],
        "per_connection_buffer_limit_bytes": policy.router.max_body + FRAME_BYTES,
    }


def _filters(policy: ir.Policy, router_cluster: str) -> Iterator[Body]:
    """Yield the router's filters for an attempt. The router neither routes it nor reads its response there."""
    yield header_mark((), retries=True)
    body = ext_proc_filter(policy, router_cluster)
    config = body["typed_config"] | {
        "allow_mode_override": False,
        "failure_mode_allow": False,
        "request_attributes": ["xds.filter_chain_name"],
        "processing_mode": {
            "request_body_mode": "BUFFERED",
            "request_header_mode": "SEND",
            "request_trailer_mode": "SKIP",
            "response_body_mode": "NONE",
            "response_header_mode": "SKIP",
            "response_trailer_mode": "SKIP",
        },
        "stat_prefix": ATTEMPTS,
    }
    yield {**body, "typed_config": config}


def _model() -> Body:
    """Return the filter that keeps the model of the attempt: routes to providers remove its header."""
    value = {
        "object_key": _MODEL,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": f"%REQ({SELECTED_MODEL})%"}},
    }
    return {
        "name": _MODEL,
        "typed_config": {
            "@type": f"{TYPES}.filters.http.set_filter_state.v3.Config",
            "on_request_headers": [value],
        },
    }


def _outcome() -> Body:
    """Return the filter that tells the first listener how an attempt ended, and which model it was."""
    headers = {OUTCOME: "%RESPONSE_FLAGS% %RESP(:STATUS)%", ANSWERED_BY: f"%FILTER_STATE({_MODEL}:PLAIN)%"}
    return {
        "name": "vsr.outcome",
        "typed_config": {
            "@type": f"{TYPES}.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {
                "response_mutations": [
                    {"append": {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
                    for key, value in headers.items()
                ]
            },
        },
    }


def _router() -> Body:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
    }
