"""What releases of Envoy AI Gateway translate to each API of providers, and how they authenticate.

Sources, at the tag of each release: `internal/endpointspec/endpointspec.go` (1.1.0: GetTranslator) and
`internal/extproc/*_processor.go` (0.4.0: selectTranslator) for the APIs; `cmd/extproc/mainlib/main.go` for their paths;
`internal/backendauth` for the headers; `internal/controller` for the keys of Secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_schemas.apis import (
    CHAT,
    COUNT_TOKENS,
    EMBEDDINGS,
    INPUT_TOKENS,
    MESSAGES,
    RERANK,
    RESPONSES,
    TOKENIZE,
    ApiPath,
)
from vsr_schemas.policy.v1alpha1 import SchemaName

NAMES: Mapping[SchemaName, str] = MappingProxyType(
    {
        "openai": "OpenAI",
        "azure-openai": "AzureOpenAI",
        "anthropic": "Anthropic",
        "cohere": "Cohere",
        "aws-bedrock": "AWSBedrock",
        "aws-anthropic": "AWSAnthropic",
        "gcp-vertex-ai": "GCPVertexAI",
        "gcp-anthropic": "GCPAnthropic",
    }
)
"""The names of the schemas in an AIServiceBackend."""

STATIC_KEYS: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("authorization", "Bearer "): ("APIKey", "apiKey"),
        ("api-key", ""): ("AzureAPIKey", "azureAPIKey"),
        ("x-api-key", ""): ("AnthropicAPIKey", "anthropicAPIKey"),
    }
)
"""The type and field of a BackendSecurityPolicy, by header and prefix of the key that it sends."""
SECRET_KEY = "apiKey"  # noqa: S105 - the key's name, not a key
"""The only key of a Secret that it reads for static keys."""


@dataclass(frozen=True, slots=True)
class Translations:
    """What a release translates.

    Attributes:
        apis: The APIs of clients that it translates to a schema. OpenAI is described with its other limits.
        pool_keys: Whether a BackendSecurityPolicy can refer to an InferencePool.
        gcp_identity: Whether it gets tokens of GCP from the identity of its pods.
        prefixes: Whether its chart has a value for the path below which it serves the APIs of a schema.
    """

    apis: Mapping[SchemaName, frozenset[ApiPath]]
    pool_keys: bool
    gcp_identity: bool
    prefixes: bool


_1_1_0 = Translations(
    MappingProxyType(
        {
            "azure-openai": frozenset((CHAT, EMBEDDINGS, RESPONSES, INPUT_TOKENS)),
            "anthropic": frozenset((MESSAGES, COUNT_TOKENS)),
            "cohere": frozenset((RERANK,)),
            "aws-bedrock": frozenset((CHAT, EMBEDDINGS, MESSAGES, COUNT_TOKENS, TOKENIZE)),
            "aws-anthropic": frozenset((CHAT, MESSAGES, COUNT_TOKENS, TOKENIZE)),
            "gcp-vertex-ai": frozenset((CHAT, EMBEDDINGS, TOKENIZE)),
            "gcp-anthropic": frozenset((CHAT, MESSAGES, COUNT_TOKENS, TOKENIZE)),
        }
    ),
    pool_keys=True,
    gcp_identity=True,
    prefixes=True,
)
TRANSLATIONS: Mapping[str, Translations] = MappingProxyType(
    {
        # It serves Anthropic's API below `/anthropic` and Cohere's below `/cohere`, whatever its chart says.
        "0.4.0": Translations(
            MappingProxyType(
                {
                    "azure-openai": frozenset((CHAT, EMBEDDINGS)),
                    "anthropic": frozenset(),
                    "cohere": frozenset(),
                    "aws-bedrock": frozenset((CHAT,)),
                    "aws-anthropic": frozenset(),
                    "gcp-vertex-ai": frozenset((CHAT,)),
                    "gcp-anthropic": frozenset((CHAT,)),
                }
            ),
            pool_keys=False,
            gcp_identity=False,
            prefixes=False,
        ),
        "1.1.0": _1_1_0,
        "1.2.0": _1_1_0,
    }
)
