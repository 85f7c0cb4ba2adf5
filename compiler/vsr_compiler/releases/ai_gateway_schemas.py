"""What releases of Envoy AI Gateway translate to each API of providers, and how they authenticate.

Sources, at the tag of each release: `internal/endpointspec/endpointspec.go` (1.1.0: GetTranslator) and
`internal/extproc/*_processor.go` (0.4.0: selectTranslator) for the APIs; `cmd/extproc/mainlib/main.go` for their paths;
`internal/backendauth` for the headers; `internal/controller` for the keys of Secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.releases.data import Table, builder
from vsr_schemas.apis import ApiPath
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


TRANSLATIONS: Mapping[str, Translations] = Table("envoy-ai-gateway", builder(Translations), "translations")
