"""Request headers that other components obey, by component and release, with their source.

Only headers that a component acts on with its usual configuration, or with a plugin that it brings, are listed. A
header that a user names in a configuration of their own (a session key, a claim) is unknown here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Treatment(Enum):
    """What happens to a client's header: ``STRIP`` before any filter runs, or ``KEEP`` for a stated reason."""

    STRIP = "strip"
    KEEP = "keep"


class Impact(Enum):
    """What a client can change with a header if the gateway lets it through."""

    IDENTITY = "identity"
    """Who the client is, or which credential is used for it."""

    MODEL = "model"
    """Which model answers, or whether guards run."""

    ADDRESS = "address"
    """Which pod, rank or address gets the request, or which API it is taken for."""

    QUEUE = "queue"
    """Priority, admission, retries or timeouts."""

    REPORT = "report"
    """What logs, metrics, traces or the response say."""


@dataclass(frozen=True, slots=True)
class ObeyedHeader:
    """A request header, or all headers with a prefix.

    Attributes:
        name: The name in lower case, or the prefix.
        effect: What the component does with it, as the rest of a sentence that begins with the component.
        since: The first release that reads it; empty if every release does that this project knows.
        until: The last release that reads it; empty if the newest one does.
        source: The file of the project.
        impact: What a client could change with it.
        reason: Why a client's header is kept. Empty for a header that is stripped.
        prefix: Whether ``name`` is a prefix.
    """

    name: str
    effect: str
    source: str
    impact: Impact
    since: str = ""
    until: str = ""
    reason: str = ""
    prefix: bool = False

    @property
    def treatment(self) -> Treatment:
        """What happens to a client's header."""
        return Treatment.KEEP if self.reason else Treatment.STRIP

    def covers(self, name: str) -> bool:
        """Return whether a name in lower case is this header, or has this prefix."""
        return name.startswith(self.name) if self.prefix else name == self.name


@dataclass(frozen=True, slots=True)
class Component:
    """A component that acts on request headers. ``title`` names it in messages; ``tag`` is the source that was read."""

    name: str
    title: str
    project: str
    tag: str
    headers: tuple[ObeyedHeader, ...]


_TRACES = "clients and tracing systems send it; it changes nothing but traces and logs"
_SESSION = "clients name their session by it, so that its requests reach the same replica of the same model"

ROUTER = Component(
    name="semantic-router",
    title="the semantic router",
    project="vllm-project/semantic-router",
    tag="3d48f8c9c",
    headers=(
        ObeyedHeader(
            "x-selected-model",
            "sets it to the selected model, and routes match it",
            "src/semantic-router/pkg/headers/headers.go",
            Impact.MODEL,
        ),
        ObeyedHeader(
            "x-vsr-guards",
            "of this project sets it to the guards that flagged a request, for the backend",
            "vsr_runtime/decision/request",
            Impact.MODEL,
        ),
        *(
            ObeyedHeader(f"x-vsr-{name}", effect, f"src/semantic-router/pkg/{source}", Impact.MODEL)
            for name, effect, source in (
                ("destination-endpoint", "of earlier releases routes by it", "headers/headers.go"),
                ("fusion-depth", "limits the depth of nested requests to itself by it", "headers/headers.go"),
                ("internal-auth", "recognizes its own requests by it", "extproc/processor_req_header_internal.go"),
                ("looper-decision", "takes the decision of its own requests from it", "headers/headers.go"),
                ("looper-iteration", "counts its own requests by it", "headers/headers.go"),
                ("looper-request", "recognizes its own requests by it", "extproc/processor_req_header_internal.go"),
                ("selected-category", "reports the category by it", "headers/headers.go"),
                ("selected-decision", "reports the decision by it", "headers/headers.go"),
                ("selected-model", "reports the model by it", "headers/headers.go"),
                ("selected-recipe", "takes the recipe of its own requests from it", "headers/headers.go"),
                ("skip-processing", "leaves a request with it unchanged and unguarded", "headers/headers.go"),
            )
        ),
        *(
            ObeyedHeader(
                f"x-authz-{name}",
                f"takes the {subject} from it, which an authorization filter sets",
                "src/semantic-router/pkg/headers/headers.go",
                Impact.IDENTITY,
            )
            for name, subject in (
                ("team-id", "team"),
                ("tenant-id", "tenant"),
                ("user-groups", "user's groups"),
                ("user-id", "user"),
            )
        ),
        *(
            ObeyedHeader(
                f"x-user-{provider}-key",
                "sends it to the provider as the API key, which an authorization filter sets",
                "src/semantic-router/pkg/authz/header_provider.go",
                Impact.IDENTITY,
            )
            for provider in ("openai", "anthropic", "azure-openai", "bedrock", "gemini", "vertex-ai", "minimax")
        ),
        ObeyedHeader(
            "x-vsr-debug",
            "adds headers about the decision to the response",
            "src/semantic-router/pkg/extproc/debug_mode.go",
            Impact.REPORT,
            reason="clients ask for debug headers by it, if the policy lets them",
        ),
        ObeyedHeader(
            "x-vsr-cache-control",
            "bypasses its cache, if its configuration lets clients",
            "src/semantic-router/pkg/extproc/req_filter_cache_control.go",
            Impact.REPORT,
            reason="clients ask for an uncached response by it; compiled configurations do not enable it",
        ),
        ObeyedHeader(
            "x-vsr-compression-control",
            "skips the compression of the context, if its configuration lets clients",
            "src/semantic-router/pkg/extproc/req_filter_context_compression_controls.go",
            Impact.REPORT,
            reason="clients opt out by it; compiled configurations do not enable it",
        ),
        ObeyedHeader(
            "x-disable-router-memory",
            "adds nothing from its memory to the request",
            "src/semantic-router/pkg/extproc/processor_req_body_memory.go",
            Impact.REPORT,
            reason="clients opt out by it; compiled configurations have no memory",
        ),
        ObeyedHeader(
            "x-session-id",
            "recognizes a conversation by it",
            "src/semantic-router/pkg/extproc/session_transition.go",
            Impact.REPORT,
            reason="clients name their session by it",
        ),
        ObeyedHeader(
            "x-conversation-id",
            "recognizes a conversation by it, if its configuration says so",
            "src/semantic-router/pkg/config/learning_config.go",
            Impact.REPORT,
            reason="clients name their conversation by it",
        ),
        ObeyedHeader(
            "x-claude-code-session-id",
            "recognizes a conversation by it",
            "src/semantic-router/pkg/extproc/session_transition.go",
            Impact.REPORT,
            reason="clients name their session by it",
        ),
    ),
)

_GIE = "pkg/epp/metadata/consts.go"
INFERENCE_EXTENSION = Component(
    name="inference-extension",
    title="the endpoint picker of the inference extension",
    project="kubernetes-sigs/gateway-api-inference-extension",
    tag="v1.5.0",
    headers=(
        ObeyedHeader(
            "x-gateway-model-name-rewrite",
            "writes it into the body as the model, and hides it in the response",
            "pkg/epp/handlers/request.go",
            Impact.MODEL,
            "1.0.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-gateway-inference-objective",
            "takes the priority from the InferenceObjective of this name",
            "pkg/epp/handlers/request.go",
            Impact.QUEUE,
            "1.0.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-gateway-inference-fairness-id",
            "puts the request into the queue of this name",
            "pkg/epp/handlers/request.go",
            Impact.QUEUE,
            "1.0.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-gateway-destination-endpoint",
            "answers with it, and the gateway sends the request to this address",
            _GIE,
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-gateway-destination-endpoint-subset",
            "picks one of these addresses, if the gateway copies the header to metadata",
            _GIE,
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-gateway-destination-endpoint-served",
            "takes it as the address that answered, if the gateway copies the header to metadata",
            _GIE,
            Impact.REPORT,
            "1.2.0",
        ),
        ObeyedHeader(
            "x-slo-ttft-ms",
            "admits and places the request by it where latency is predicted",
            "pkg/epp/framework/plugins/requestcontrol/admitter/latencyslo/plugin.go",
            Impact.QUEUE,
            "1.2.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-slo-tpot-ms",
            "admits and places the request by it where latency is predicted",
            "pkg/epp/framework/plugins/requestcontrol/admitter/latencyslo/plugin.go",
            Impact.QUEUE,
            "1.2.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-original-path",
            "takes the API from it if `:path` is empty",
            "pkg/epp/framework/plugins/requesthandling/parsers/openai/openai.go",
            Impact.ADDRESS,
            "1.4.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-forwarded-path",
            "takes the API from it if `:path` is empty",
            "pkg/epp/framework/plugins/requesthandling/parsers/openai/openai.go",
            Impact.ADDRESS,
            "1.4.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-gateway-model-name",
            "of the body-based router routes by it",
            "pkg/bbr/plugins/bodyfieldtoheader/body_field_to_header.go",
            Impact.ADDRESS,
            "1.0.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "x-gateway-base-model-name",
            "of the body-based router routes by it",
            "pkg/bbr/plugins/basemodelextractor/base_model_to_header.go",
            Impact.ADDRESS,
            "1.3.0",
            "1.5.0",
        ),
        ObeyedHeader(
            "test-epp-endpoint-selection",
            "picks this address, with its plugin `header-based-testing-filter`",
            "pkg/epp/framework/plugins/scheduling/test/filter/request_header_based_filter.go",
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-request-id",
            "finds the request's state by it, and creates one if it is missing",
            "pkg/epp/handlers/server.go",
            Impact.REPORT,
            reason=_TRACES,
        ),
    ),
)

_LLM_D = "pkg/epp/metadata/consts.go"
_SIDECAR = "pkg/sidecar/proxy/chat_completions.go"
_AGENT = "pkg/epp/framework/plugins/requestcontrol/requestheader/agentidentity/agent_identity.go"
LLM_D = Component(
    name="llm-d-router",
    title="llm-d's endpoint picker or sidecar",
    project="llm-d/llm-d-router",
    tag="v0.10.0",
    headers=(
        ObeyedHeader(
            "x-llm-d-",
            "reads headers with this prefix",
            _LLM_D,
            Impact.ADDRESS,
            "0.9.0",
            prefix=True,
        ),
        ObeyedHeader(
            "x-gateway-model-name-rewrite",
            "writes it into the body as the model, and hides it in the response",
            "pkg/epp/handlers/request.go",
            Impact.MODEL,
            "0.3.0",
        ),
        ObeyedHeader(
            "x-llm-d-model-name-rewrite",
            "writes it into the body as the model, and hides it in the response",
            "pkg/epp/handlers/request.go",
            Impact.MODEL,
            "0.9.0",
        ),
        *(
            ObeyedHeader(f"{prefix}{name}", effect, _LLM_D, Impact.QUEUE, since)
            for prefix, since in (("x-gateway-", "0.3.0"), ("x-llm-d-", "0.9.0"))
            for name, effect in (
                ("inference-objective", "takes the priority from the InferenceObjective of this name"),
                ("inference-fairness-id", "puts the request into the queue of this name"),
            )
        ),
        *(
            ObeyedHeader(
                f"{prefix}{name}", "admits and places the request by it where latency is predicted", _LLM_D, *rest
            )
            for prefix, rest in (
                ("x-", (Impact.QUEUE, "0.3.0")),
                ("x-llm-d-", (Impact.QUEUE, "0.9.0")),
            )
            for name in ("slo-ttft-ms", "slo-tpot-ms")
        ),
        *(
            ObeyedHeader(
                f"x-llm-d-{name}",
                "estimates the tokens of a video by it",
                "pkg/epp/framework/plugins/requestcontrol/dataproducer/tokenizer/estimate.go",
                Impact.QUEUE,
                "0.10.0",
            )
            for name in ("video-fps", "video-duration-seconds", "video-resolution")
        ),
        ObeyedHeader(
            "x-prefiller-host-port",
            "has this address process the prompt",
            _SIDECAR,
            Impact.ADDRESS,
            "0.2.0",
        ),
        ObeyedHeader(
            "x-encoder-hosts-ports",
            "has these addresses encode images",
            _SIDECAR,
            Impact.ADDRESS,
            "0.7.0",
        ),
        ObeyedHeader(
            "x-kv-cache-source-host-port",
            "loads cached blocks from this address",
            _SIDECAR,
            Impact.ADDRESS,
            "0.10.0",
        ),
        ObeyedHeader(
            "x-data-parallel-host-port",
            "forwards the request to this address of the pod, or answers 400",
            "pkg/sidecar/proxy/data_parallel.go",
            Impact.ADDRESS,
            "0.4.0",
        ),
        ObeyedHeader(
            "x-data-parallel-rank",
            "sets it for the model server, and passes a client's on",
            "pkg/sidecar/proxy/connector_nixlv2.go",
            Impact.ADDRESS,
            "0.9.0",
        ),
        ObeyedHeader(
            "x-gateway-destination-endpoint",
            "answers with it, and the gateway sends the request to this address",
            _LLM_D,
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-gateway-destination-endpoint-subset",
            "picks one of these addresses, if the gateway copies the header to metadata",
            _LLM_D,
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-gateway-destination-endpoint-scores",
            "reports scores under this name",
            _LLM_D,
            Impact.REPORT,
            "0.10.0",
        ),
        ObeyedHeader(
            "x-original-path",
            "takes the API from it if `:path` is empty",
            "pkg/epp/framework/common/request/headers.go",
            Impact.ADDRESS,
            "0.9.0",
        ),
        ObeyedHeader(
            "x-forwarded-path",
            "takes the API from it if `:path` is empty",
            "pkg/epp/framework/common/request/headers.go",
            Impact.ADDRESS,
            "0.9.0",
        ),
        ObeyedHeader(
            "test-epp-endpoint-selection",
            "picks this address, with its plugin `header-based-testing-filter`",
            "pkg/epp/framework/plugins/scheduling/test/consts.go",
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-session-token",
            "picks the pod that the token names, with its session affinity plugins",
            "pkg/epp/framework/plugins/scheduling/util/sessionaffinity/header.go",
            Impact.REPORT,
            reason="the picker gives it to clients in a response; it chooses between replicas of one model",
        ),
        ObeyedHeader(
            "x-session-id",
            "picks a pod by it, with its session affinity plugins",
            "pkg/epp/framework/plugins/scheduling/util/sessionaffinity/session_id.go",
            Impact.REPORT,
            "0.10.0",
            reason=_SESSION,
        ),
        *(
            ObeyedHeader(
                name,
                "recognizes an agent by it, with its plugin `agent-identity`",
                _AGENT,
                Impact.REPORT,
                "0.9.0",
                reason="clients name their session by it; the plugin is not in compiled configurations",
            )
            for name in ("x-claude-code-session-id", "x-session-affinity", "session-id", "session_id")
        ),
    ),
)

_AIGW = "internal/internalapi/internalapi.go"
AI_GATEWAY = Component(
    name="envoy-ai-gateway",
    title="Agent Router (formerly Envoy AI Gateway)",
    project="envoyproxy/ai-gateway",
    tag="v1.1.0",
    headers=(
        ObeyedHeader(
            "x-ai-eg-", "uses headers with this prefix for itself", _AIGW, Impact.ADDRESS, "0.1.0", prefix=True
        ),
        ObeyedHeader("x-ai-eg-model", "sets it to the model in the body, and routes match it", _AIGW, Impact.ADDRESS),
        ObeyedHeader("x-ai-eg-original-path", "keeps the path of the request in it", _AIGW, Impact.ADDRESS, "0.1.0"),
        ObeyedHeader(
            "x-ai-eg-internal-req-id",
            "joins both stages of a request by it",
            "internal/extproc/server.go",
            Impact.ADDRESS,
            "0.4.0",
        ),
        ObeyedHeader("x-ai-eg-upstream-host", "signs requests to AWS for this host", _AIGW, Impact.IDENTITY, "1.1.0"),
        *(
            ObeyedHeader(f"x-ai-eg-{name}", effect, _AIGW, Impact.ADDRESS, since)
            for name, effect, since in (
                ("mcp-backend", "routes MCP requests by it", "0.4.0"),
                ("mcp-backend-subset", "limits MCP requests to these backends", "1.1.0"),
                ("mcp-route", "selects the MCP route by it", "0.4.0"),
                ("mcp-metadata-request-id", "copies it to metadata", "0.4.0"),
                ("mcp-metadata-method", "copies it to metadata", "0.4.0"),
                ("mcp-metadata-tool-name", "copies it to metadata", "1.1.0"),
                ("mcp-metadata-resource-uri", "copies it to metadata", "1.1.0"),
            )
        ),
        ObeyedHeader(
            "x-aigw-",
            "uses headers with this prefix as credentials for providers",
            "internal/extproc/server.go",
            Impact.IDENTITY,
            "1.1.0",
            prefix=True,
        ),
        *(
            ObeyedHeader(
                f"x-aigw-{name}",
                "uses it as the credential for a provider, if a BackendSecurityPolicy says so",
                "internal/controller/gateway.go",
                Impact.IDENTITY,
                "1.1.0",
            )
            for name in (
                "api-key",
                "anthropic-api-key",
                "azure-api-key",
                "azure-access-token",
                "gcp-access-token",
                "aws-access-key-id",
                "aws-secret-access-key",
                "aws-session-token",
            )
        ),
        ObeyedHeader("x-envoy-original-path", "keeps the path of the request in it", _AIGW, Impact.ADDRESS, "0.5.0"),
    ),
)

_VLLM = "vllm/entrypoints/openai/engine/serving.py"
VLLM = Component(
    name="vllm",
    title="vLLM",
    project="vllm-project/vllm",
    tag="00bd1493b",
    headers=(
        ObeyedHeader("x-data-parallel-rank", "computes the request on this rank", _VLLM, Impact.ADDRESS),
        ObeyedHeader(
            "endpoint-load-metrics-format",
            "adds its load to the response",
            "vllm/entrypoints/openai/chat_completion/api_router.py",
            Impact.REPORT,
        ),
        ObeyedHeader(
            "x-amzn-sagemaker-adapter-identifier",
            "takes the adapter from it on `/invocations`",
            "vllm/entrypoints/sagemaker",
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-amzn-sagemaker-adapter-alias",
            "takes the alias of an adapter from it",
            "vllm/entrypoints/sagemaker",
            Impact.ADDRESS,
        ),
        ObeyedHeader(
            "x-request-id", "names the request by it in logs and responses", _VLLM, Impact.REPORT, reason=_TRACES
        ),
        ObeyedHeader("traceparent", "continues this trace", _VLLM, Impact.REPORT, reason=_TRACES),
        ObeyedHeader("tracestate", "continues this trace", _VLLM, Impact.REPORT, reason=_TRACES),
    ),
)

PRODUCTION_STACK = Component(
    name="production-stack",
    title="the router of the vLLM production stack",
    project="vllm-project/production-stack",
    tag="vllm-stack-0.1.12",
    headers=(
        ObeyedHeader(
            "x-request-id",
            "names the request by it",
            "src/vllm_router/services/request_service/request.py",
            Impact.REPORT,
            reason=_TRACES,
        ),
        ObeyedHeader(
            "traceparent",
            "continues this trace",
            "src/vllm_router/services/request_service/request.py",
            Impact.REPORT,
            reason=_TRACES,
        ),
    ),
)

AGENTGATEWAY = Component(
    name="agentgateway",
    title="agentgateway",
    project="agentgateway/agentgateway",
    tag="v1.4.1",
    headers=(
        ObeyedHeader(
            "x-gateway-destination-endpoint",
            "sends the request to this address after the picker ran",
            "crates/agentgateway/src/http/ext_proc.rs",
            Impact.ADDRESS,
        ),
    ),
)

_ENVOY_ROUTER = "source/common/router/router.cc"
_ENVOY_HCM = "source/common/http/conn_manager_utility.cc"
ENVOY = Component(
    name="envoy",
    title="Envoy",
    project="envoyproxy/envoy",
    tag="v1.36.0",
    headers=(
        ObeyedHeader(
            "x-envoy-original-dst-host",
            "connects to this address, on clusters of the type ORIGINAL_DST",
            "source/extensions/clusters/original_dst/original_dst_cluster.cc",
            Impact.ADDRESS,
        ),
        *(
            ObeyedHeader(
                f"x-envoy-fault-{name}",
                "delays or aborts the request, if its fault filter reads headers",
                "source/extensions/filters/common/fault/fault_config.h",
                Impact.QUEUE,
            )
            for name in (
                "abort-request",
                "abort-grpc-request",
                "abort-request-percentage",
                "delay-request",
                "delay-request-percentage",
                "throughput-response",
                "throughput-response-percentage",
            )
        ),
        ObeyedHeader("x-envoy-is-timeout-retry", "reports a retry by it", _ENVOY_ROUTER, Impact.REPORT),
        ObeyedHeader("x-envoy-original-host", "keeps the host of the request in it", _ENVOY_ROUTER, Impact.REPORT),
        ObeyedHeader("x-envoy-original-path", "keeps the path of the request in it", _ENVOY_ROUTER, Impact.REPORT),
        ObeyedHeader("x-envoy-original-url", "keeps the URL of the request in it", _ENVOY_ROUTER, Impact.REPORT),
        ObeyedHeader(
            "x-envoy-upstream-rq-timeout-ms", "replaces the route's timeout by it", _ENVOY_ROUTER, Impact.QUEUE
        ),
        ObeyedHeader(
            "x-envoy-upstream-rq-per-try-timeout-ms", "limits each attempt by it", _ENVOY_ROUTER, Impact.QUEUE
        ),
        ObeyedHeader(
            "x-envoy-upstream-rq-timeout-alt-response", "answers 204 after a timeout", _ENVOY_ROUTER, Impact.QUEUE
        ),
        ObeyedHeader("x-envoy-upstream-stream-duration-ms", "limits the duration by it", _ENVOY_ROUTER, Impact.QUEUE),
        ObeyedHeader(
            "x-envoy-expected-rq-timeout-ms",
            "takes the timeout from it, if its router filter says so",
            _ENVOY_ROUTER,
            Impact.QUEUE,
        ),
        *(
            ObeyedHeader(f"x-envoy-{name}", "retries by it", "source/common/router/retry_state_impl.cc", Impact.QUEUE)
            for name in (
                "max-retries",
                "retry-on",
                "retry-grpc-on",
                "retriable-header-names",
                "retriable-status-codes",
                "hedge-on-per-try-timeout",
            )
        ),
        ObeyedHeader("x-envoy-attempt-count", "counts attempts in it", _ENVOY_ROUTER, Impact.REPORT),
        ObeyedHeader("x-envoy-upstream-alt-stat-name", "counts under this name", _ENVOY_ROUTER, Impact.REPORT),
        ObeyedHeader("x-envoy-force-trace", "records a trace", _ENVOY_HCM, Impact.REPORT),
        ObeyedHeader("x-envoy-decorator-operation", "names the span by it", _ENVOY_HCM, Impact.REPORT),
        ObeyedHeader("x-envoy-downstream-service-cluster", "reports the caller by it", _ENVOY_HCM, Impact.REPORT),
        ObeyedHeader("x-envoy-downstream-service-node", "reports the caller by it", _ENVOY_HCM, Impact.REPORT),
        ObeyedHeader("x-envoy-ip-tags", "reports tags of the address by it", _ENVOY_HCM, Impact.REPORT),
        ObeyedHeader(
            "x-forwarded-for",
            "takes the client's address from it, if proxies in front are trusted",
            _ENVOY_HCM,
            Impact.IDENTITY,
            reason="a trusted proxy in front sends it; the gateway's number of trusted hops decides what counts",
        ),
        *(
            ObeyedHeader(
                name,
                "keeps it, if proxies in front are trusted",
                _ENVOY_HCM,
                Impact.REPORT,
                reason="a trusted proxy in front sends it; Envoy sets or sanitizes it by its own settings",
            )
            for name in (
                "x-forwarded-proto",
                "x-forwarded-host",
                "x-forwarded-port",
                "x-forwarded-client-cert",
                "x-envoy-external-address",
                "x-envoy-internal",
            )
        ),
        ObeyedHeader(
            "x-envoy-peer-metadata",
            "of Istio labels metrics by it",
            "source/extensions/filters/http/peer_metadata/filter.cc (istio/proxy)",
            Impact.REPORT,
            reason="proxies of the mesh send it; it changes nothing but labels of metrics",
        ),
        *(
            ObeyedHeader(name, "continues this trace, or samples by it", _ENVOY_HCM, Impact.REPORT, reason=_TRACES)
            for name in ("x-request-id", "x-client-trace-id", "traceparent", "tracestate", "baggage", "b3")
        ),
        ObeyedHeader("x-b3-", "continues this trace", _ENVOY_HCM, Impact.REPORT, reason=_TRACES, prefix=True),
    ),
)

COMPONENTS = (ROUTER, INFERENCE_EXTENSION, LLM_D, VLLM, AI_GATEWAY, PRODUCTION_STACK, AGENTGATEWAY, ENVOY)
"""The table. Envoy is the last: where a gateway limits the number of names, those are left out that Envoy itself mostly
removes from clients' requests."""


_ROUTING = frozenset({Impact.MODEL, Impact.ADDRESS, Impact.QUEUE})
_BEFORE_ROUTER = (AGENTGATEWAY, ENVOY)


def stripped_names() -> tuple[str, ...]:
    """Return the names that are removed from clients' requests, each once, in the order of the table."""
    return tuple(dict.fromkeys(header.name for header in _stripped() if not header.prefix))


def routing_names() -> tuple[str, ...]:
    """Return those of the names by which a client could choose the model, the pod or the queue of its request.

    Those of Envoy itself and of agentgateway are not among them: they act before the router, or are the proxy's own.
    """
    behind = (header for component in COMPONENTS if component not in _BEFORE_ROUTER for header in component.headers)
    routing = [header for header in behind if header.treatment is Treatment.STRIP and header.impact in _ROUTING]
    return tuple(dict.fromkeys(header.name for header in routing if not header.prefix))


def stripped_prefixes() -> tuple[str, ...]:
    """Return the prefixes of names that are removed from clients' requests."""
    return tuple(dict.fromkeys(header.name for header in _stripped() if header.prefix))


def obeyed_by(name: str) -> Component | None:
    """Return the first component that acts on a header that clients may not send; None if none does.

    >>> obeyed_by("x-llm-d-model-name-rewrite").title
    "llm-d's endpoint picker or sidecar"
    """
    for component in COMPONENTS:
        for header in component.headers:
            if header.treatment is Treatment.STRIP and header.covers(name.lower()):
                return component
    return None


def _stripped() -> list[ObeyedHeader]:
    return [header for component in COMPONENTS for header in component.headers if header.treatment is Treatment.STRIP]
