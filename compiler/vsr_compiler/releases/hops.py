"""What the components between the router and a model accept of a request: size, API and query, by project and release.

The router's filter buffers a request and hands the whole body to the next filter at once, which sends it to its server
as one gRPC message. By default, a gRPC server in Go rejects a message of more than 4 MiB. The client then gets an empty
500.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.releases.picker_arguments import MESSAGE_LIMIT
from vsr_schemas.apis import (
    API_PATHS,
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    IMAGES,
    INPUT_TOKENS,
    MESSAGES,
    RESPONSES,
    SPEECH,
    TOKENIZE,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    ApiPath,
)
from vsr_schemas.runtime import FRAME_BYTES


@dataclass(frozen=True, slots=True)
class Hop:
    """What a release of a component accepts of a request.

    Attributes:
        source: Where its project says so, at the tag of the release.
        max_message: The largest gRPC message in bytes by default; None without a limit.
        apis: The APIs that it serves.
        query: Whether a path can have a query.
        unserved: Why it does not serve the other APIs, or queries.
        instead: What accepts more.
    """

    source: str
    max_message: int | None = None
    apis: frozenset[ApiPath] = frozenset(API_PATHS)
    query: bool = True
    unserved: str = ""
    instead: str = ""

    @property
    def max_body(self) -> int | None:
        """The largest body in bytes that it accepts by default; None without a limit."""
        return None if self.max_message is None else self.max_message - FRAME_BYTES


_LLM_D = "llm-d-router 0.10.0"
_NO_PICKER = f"a `service` endpoint instead of a pool, or the target llm-d with {_LLM_D}"
_BY_FIELDS = "it takes every body for a chat completion or a completion with one text as prompt"
_NO_POOL = "a `service` endpoint instead of a pool"
_AI_GATEWAY_APIS = frozenset[ApiPath](
    (
        *(CHAT, COMPLETIONS, RESPONSES, INPUT_TOKENS, MESSAGES, EMBEDDINGS),
        *(IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS, TOKENIZE),
    )
)
_BY_FIELDS_APIS = frozenset((CHAT, COMPLETIONS))

HOPS: Mapping[str, Mapping[str, Hop]] = MappingProxyType(
    {
        "inference-extension": MappingProxyType(
            {
                "1.1.0": Hop(
                    "pkg/epp/server/runserver.go: grpc.NewServer without MaxRecvMsgSize; "
                    "pkg/epp/util/request/body.go: ExtractRequestBody",
                    max_message=MESSAGE_LIMIT,
                    apis=_BY_FIELDS_APIS,
                    unserved=_BY_FIELDS,
                    instead=_NO_PICKER,
                ),
                "1.5.0": Hop(
                    "pkg/epp/server/runserver.go: grpc.NewServer without MaxRecvMsgSize; "
                    "pkg/epp/framework/plugins/requesthandling/parsers/openai/openai.go: determineAPITypeFromPath",
                    max_message=MESSAGE_LIMIT,
                    apis=frozenset((CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS)),
                    query=False,
                    unserved="it takes every path that does not end as one of OpenAI's for completions",
                    instead=_NO_PICKER,
                ),
            }
        ),
        "llm-d-router": MappingProxyType(
            {
                "0.3.2": Hop(
                    "go.mod: built on the inference extension 1.0.0, whose pkg/epp/server/runserver.go and "
                    "pkg/epp/util/request/body.go are those of 1.1.0",
                    max_message=MESSAGE_LIMIT,
                    apis=_BY_FIELDS_APIS,
                    unserved=_BY_FIELDS,
                    instead=_LLM_D,
                ),
                "0.10.0": Hop(
                    "pkg/epp/server/options.go: grpc-max-recv-msg-size; "
                    "pkg/epp/framework/plugins/requesthandling/parsers: Claims of openai, anthropic; "
                    "pkg/epp/handlers/parsers.go: no parser registered",
                    max_message=MESSAGE_LIMIT,
                    apis=frozenset((CHAT, COMPLETIONS, RESPONSES, MESSAGES, COUNT_TOKENS, EMBEDDINGS, IMAGES)),
                    unserved="it rejects paths for which it has no parser",
                    instead=_NO_POOL,
                ),
            }
        ),
        "envoy-ai-gateway": MappingProxyType(
            {
                "0.4.0": Hop(
                    "cmd/controller/main.go: extProcMaxRecvMsgSize; cmd/extproc/mainlib/main.go: server.Register",
                    max_message=512 * 2**20,
                    apis=frozenset((CHAT, COMPLETIONS, EMBEDDINGS, IMAGES)),
                    unserved="it responds with 404 to paths for which it has no processor",
                    instead="envoy-ai-gateway 1.1.0",
                ),
            }
            # /v1/messages needs a value of its chart; see `AiGateway.chart_values`.
            | dict.fromkeys(
                ("1.1.0", "1.2.0"),
                Hop(
                    "cmd/controller/main.go: extProcMaxRecvMsgSize; cmd/extproc/mainlib/main.go: server.Register; "
                    "internal/endpointspec/endpointspec.go: GetTranslator for the schema OpenAI",
                    max_message=512 * 2**20,
                    apis=_AI_GATEWAY_APIS,
                    unserved="it has no processor or translation for them",
                    instead="the target envoy-gateway",
                ),
            )
        ),
        "production-stack": MappingProxyType(
            dict.fromkeys(("0.1.11", "0.1.12"), Hop("src/vllm_router/routers/main_router.py: main_router.post"))
        ),
        "vllm": MappingProxyType({"0.17.0": Hop("vllm/entrypoints/openai/api_server.py: uvicorn limits no body")}),
    }
)
"""By project and release. Sidecars of disaggregated pools (llm-d-router 0.10.0, pkg/sidecar/proxy) have no limit."""
