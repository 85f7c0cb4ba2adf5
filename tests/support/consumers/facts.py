"""The consumers' rules as data. Each has the project, release and file that it was read from, or where it was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass

HTTP = "envoy.filters.http"
HCM = "envoy.filters.network.http_connection_manager"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule is written, or where it was observed."""

    project: str
    release: str
    place: str


ENVOY_ARRIVAL = Source("envoy", "1.38.3", "source/common/http/filter_chain_helper.cc, createFilterChainForFactories")
"""A filter that is `disabled` is skipped unless the route that matches on the request's arrival enables it.

Envoy decides that once. What a route says to a filter that is not disabled is read when the filter runs.
"""
ENVOY_CLAIMS = Source("envoy", "1.38.3", "source/extensions/filters/http/jwt_authn/extractor.cc; seen")
"""The filter for tokens removes the headers of `claim_to_headers` from a request, then sets those of claims that exist.

A list or an object is JSON in base64.
"""
ENVOY_KEYS = Source("envoy", "1.38.3", "seen: api_key_auth takes `Bearer KEY`, and the first of its headers")
ENVOY_LOCAL_REPLY = Source("envoy", "1.38.3", "seen: a local reply of an earlier filter reaches ext_proc's encode side")
ENVOY_BUFFERED = Source("envoy", "1.38.3", "seen: a BUFFERED filter hands the whole body to the next filter at once")

ISTIO_RETRIES_SOURCE = Source("istio", "1.31.0-rc.0", "seen: the routes that istiod makes of HTTPRoutes")
ISTIO_RETRIES = {
    "num_retries": 2,
    "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
}
"""The retries of every route without any of its own, also of POST requests. Envoy Gateway's routes have none."""
ENVOY_MAX_RETRIES = Source("envoy", "1.38.3", "source/common/router/retry_state_impl.cc, RetryStateImpl")
"""The header `x-envoy-max-retries` takes precedence over the route's number."""

AGENTGATEWAY_ORDER = Source(
    "agentgateway", "1.4.1", "crates/agentgateway/src/proxy/httpproxy.rs, apply_gateway_policies"
)
"""Before routing: cors, tokens, basic, keys, extAuth, authorization, the processor, transformation. Then the route.

Each field is that of the nearest policy that has it: the listener's, then the Gateway's (`store/binds.rs`,
`gateway_policies`). Rules of authorization add up.
"""
AGENTGATEWAY_BODIES = Source("agentgateway", "1.4.1", "crates/agentgateway/src/http/ext_proc.rs, send_body_stream")
"""In full duplex each frame of a body is a message, to the processor and to a picker. Nothing limits their number."""
AGENTGATEWAY_DOWN = Source("agentgateway", "1.4.1", "crates/agentgateway/src/http/ext_proc_tests.rs")
AGENTGATEWAY_DOWN_STATUS = 500
AGENTGATEWAY_SET = Source("agentgateway", "1.4.1", "crates/agentgateway/src/http/mod.rs, apply_header")
"""A header whose expression fails is removed, so that no client can set it."""

ENVOY_INTERNAL = Source("envoy", "1.38.3", "source/common/http/conn_manager_utility.cc, cleanInternalHeaders")
INTERNAL = frozenset(
    f"x-envoy-{name}"
    for name in (
        "downstream-service-cluster",
        "downstream-service-node",
        "expected-rq-timeout-ms",
        "force-trace",
        "hedge-on-per-try-timeout",
        "ip-tags",
        "max-retries",
        "original-url",
        "retriable-header-names",
        "retriable-status-codes",
        "retry-grpc-on",
        "retry-on",
        "upstream-alt-stat-name",
        "upstream-rq-per-try-timeout-ms",
        "upstream-rq-timeout-alt-response",
        "upstream-rq-timeout-ms",
    )
)
"""Headers that Envoy takes off every request of a client before anything reads them, on every listener.

Since Envoy 1.33 no client counts as internal unless `internal_address_config` says so.
"""

ENVOY_GATEWAY_ORDER_SOURCE = Source("envoy-gateway", "1.8.3", "internal/xds/translator/httpfilters.go; 1.9.0: seen")
ENVOY_GATEWAY_ORDER = (
    f"{HTTP}.cors",
    f"{HTTP}.ext_authz",
    f"{HTTP}.api_key_auth",
    f"{HTTP}.basic_auth",
    f"{HTTP}.oauth2",
    f"{HTTP}.jwt_authn",
    f"{HTTP}.buffer",
    f"{HTTP}.lua",
    f"{HTTP}.ext_proc",
    f"{HTTP}.wasm",
    f"{HTTP}.rbac",
    f"{HTTP}.local_ratelimit",
    f"{HTTP}.ratelimit",
    f"{HTTP}.credential_injector",
    f"{HTTP}.router",
)
"""Filters of a listener by the beginning of their names, in Envoy Gateway's order."""

ENVOY_GATEWAY_PER_ROUTE_SOURCE = Source("envoy-gateway", "1.8.3", "internal/xds/translator/*.go, `Disabled: true`")
ENVOY_GATEWAY_PER_ROUTE = frozenset(
    f"{HTTP}.{name}"
    for name in (
        "ext_authz",
        "api_key_auth",
        "basic_auth",
        "ext_proc",
        "lua",
        "wasm",
        "buffer",
        "credential_injector",
    )
)
"""Filters that Envoy Gateway adds `disabled` and enables per route. Others read the route when they run."""

ENVOY_GATEWAY_LISTENERS = Source("envoy-gateway", "1.8.3", "internal/xds/translator/translator.go")
"""One xDS listener per port, named `<namespace>/<gateway>/<listener>` after the first listener of that port.

TLS listeners have a chain each in `filter_chains`, HTTP ones of one port share `default_filter_chain`. HTTP/3 adds a
listener `<name>-quic`.
"""
ENVOY_GATEWAY_PATCH = Source("envoy-gateway", "1.8.3", "internal/xds/translator/jsonpatch.go, findXdsResource")
"""A patch finds its resource by name only. Other patches of the policy are applied although one fails."""
ENVOY_GATEWAY_CLIENT_POLICY = Source("envoy-gateway", "1.8.3", "internal/gatewayapi/clienttrafficpolicy.go; seen")
"""A ClientTrafficPolicy with `sectionName` replaces the Gateway's as a whole.

On an HTTP port with several listeners it is invalid, and the Gateway's is overridden all the same.
"""
DEFAULT_BUFFER = 32 * 2**10
"""Envoy Gateway's `connection.bufferLimit`, where no policy sets it."""

AI_GATEWAY_INSERT = Source("envoy-ai-gateway", "1.1.0", "internal/extensionserver/post_translate_modify.go")
AI_GATEWAY_BEFORE = (
    f"{HTTP}.rbac",
    f"{HTTP}.local_ratelimit",
    f"{HTTP}.ratelimit",
    f"{HTTP}.credential_injector",
    f"{HTTP}.router",
)
"""AI Gateway puts its filter before the first of these, so behind the last buffer filter."""
AI_GATEWAY_FILTER = f"{HTTP}.ext_proc/aigateway"
AI_GATEWAY_MODEL = "x-ai-eg-model"
AI_GATEWAY_PATHS_SOURCE = Source("envoy-ai-gateway", "1.1.0", "cmd/extproc/mainlib/main.go, endpointPrefixes")

ISTIO_ORDER_SOURCE = Source(
    "istio", "1.30.3", "pilot/pkg/networking/core/listener_builder.go, buildHTTPConnectionManager; 1.31.0-rc.0: seen"
)
ISTIO_ORDER = (
    f"{HTTP}.ext_authz",
    f"{HTTP}.jwt_authn",
    f"{HTTP}.rbac",
    f"{HTTP}.ext_proc",
    f"{HTTP}.grpc_stats",
    f"{HTTP}.fault",
    f"{HTTP}.cors",
    f"{HTTP}.router",
)
"""Filters of a Gateway in Istio's order, without `alpn` and `stats`: these change no request."""
ISTIO_ALWAYS = frozenset(f"{HTTP}.{name}" for name in ("grpc_stats", "fault", "cors", "router"))
ISTIO_LISTENER = Source("istio", "1.31.0-rc.0", "seen: one listener `0.0.0.0_<port>`, its chains in `filter_chains`")
ISTIO_ANCHOR = Source("istio", "1.30.3", "istio-07: without the anchor of an INSERT_BEFORE nothing is inserted")
ISTIO_DEFAULT_BUFFER = MIB
"""Envoy's own `per_connection_buffer_limit_bytes`."""


@dataclass(frozen=True, slots=True)
class Picker:
    """What an endpoint picker of some release does with requests.

    Attributes:
        project: the project, as profiles name it.
        image: the beginning of its image.
        releases: the oldest and the newest release that the row describes.
        parsed: the ends of `:path`, query included, that it reads; empty if it takes any path.
        flag: the argument for the size of a message, if it has one.
        source: where this is written.
    """

    project: str
    image: str
    releases: tuple[tuple[int, ...], tuple[int, ...]]
    parsed: tuple[str, ...]
    flag: str
    source: Source


MESSAGE = 4_194_304
"""What a Go gRPC server takes in one message unless told otherwise, in bytes."""
_OPENAI = ("/conversations", "/responses", "/chat/completions", "/completions", "/embeddings")
PICKERS = (
    Picker(
        "inference-extension",
        "registry.k8s.io/gateway-api-inference-extension/epp:v",
        ((1, 0), (1, 5, 99)),
        _OPENAI,
        "",
        Source("inference-extension", "1.5.0", "pkg/epp/server/runserver.go; parsers/openai/openai.go"),
    ),
    Picker(
        "llm-d-router",
        "ghcr.io/llm-d/llm-d-inference-scheduler:v",
        ((0, 3), (0, 8, 99)),
        _OPENAI,
        "",
        Source("llm-d-router", "0.3.2", "built on the inference extension 1.0"),
    ),
    Picker(
        "llm-d-router",
        "ghcr.io/llm-d/llm-d-router-endpoint-picker:v",
        ((0, 9), (0, 10, 99)),
        (),
        "--grpc-max-recv-msg-size",
        Source("llm-d-router", "0.10.0", "pkg/epp/server/options.go"),
    ),
)


@dataclass(frozen=True, slots=True)
class Obeyed:
    """A request header that a component obeys: a picker, by its project, or `sidecar` or `pool`."""

    component: str
    header: str
    effect: str
    source: Source


_CONSTS = Source("inference-extension", "1.5.0", "pkg/epp/metadata/consts.go, pkg/epp/handlers/request.go")
_LLM_D = Source("llm-d-router", "0.10.0", "pkg/epp/metadata/consts.go, pkg/epp/handlers/request.go")
_SIDECAR = Source("llm-d-router", "0.10.0", "pkg/sidecar/proxy/data_parallel.go and its neighbours")
OBEYED = (
    *(
        Obeyed(project, header, effect, source)
        for project, source in (("inference-extension", _CONSTS), ("llm-d-router", _LLM_D))
        for header, effect in (
            ("x-gateway-model-name-rewrite", "the model in the body"),
            ("x-gateway-inference-objective", "the priority"),
            ("x-gateway-inference-fairness-id", "whose queue"),
            ("x-slo-ttft-ms", "the deadline that latency is predicted for"),
            ("x-slo-tpot-ms", "the deadline that latency is predicted for"),
        )
    ),
    Obeyed("llm-d-router", "x-llm-d-model-name-rewrite", "the model in the body", _LLM_D),
    Obeyed("llm-d-router", "x-llm-d-inference-objective", "the priority", _LLM_D),
    Obeyed("llm-d-router", "x-llm-d-inference-fairness-id", "whose queue", _LLM_D),
    Obeyed("llm-d-router", "x-llm-d-slo-ttft-ms", "the deadline that latency is predicted for", _LLM_D),
    Obeyed("llm-d-router", "x-llm-d-slo-tpot-ms", "the deadline that latency is predicted for", _LLM_D),
    Obeyed("sidecar", "x-data-parallel-host-port", "the server; 400 where it does not exist", _SIDECAR),
    Obeyed("sidecar", "x-kv-cache-source-host-port", "where the cache is taken from", _SIDECAR),
    Obeyed("sidecar", "x-prefiller-host-port", "where the prompt is computed", _SIDECAR),
    Obeyed("sidecar", "x-encoder-hosts-ports", "where images are computed", _SIDECAR),
    Obeyed("pool", "x-gateway-destination-endpoint", "the pod", Source("envoy", "1.38.3", "original_dst_lb_config")),
)
"""Headers that other components obey; a client's own must reach none of them."""


def picker_of(image: str) -> Picker | None:
    """Return the row of a picker's image; None for a picker that the table does not know."""
    for picker in PICKERS:
        if image.startswith(picker.image):
            numbers = tuple(map(int, re.findall(r"\d+", image.removeprefix(picker.image).split("-")[0])))
            oldest, newest = picker.releases
            if oldest <= numbers <= newest:
                return picker
    return None


def rank(order: tuple[str, ...], name: str) -> int:
    """Return where a filter stands in an order, by the longest beginning of its name."""
    fitting = [begin for begin in order if name == begin or name.startswith((f"{begin}/", f"{begin}."))]
    if not fitting:
        raise LookupError(f"no rule says where {name} stands")
    return order.index(max(fitting, key=len))
