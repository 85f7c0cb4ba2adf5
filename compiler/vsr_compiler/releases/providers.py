"""APIs of providers outside the cluster: their paths, how their keys are sent, and what they need besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from vsr_schemas.apis import API_GROUPS, CHAT, COMPLETIONS, COUNT_TOKENS, EMBEDDINGS, MESSAGES, ApiName, ApiPath
from vsr_schemas.policy.v1alpha1 import SchemaName

Cloud = Literal["aws", "gcp", "azure"]


def _paths(*names: ApiName) -> frozenset[ApiPath]:
    return frozenset(path for name in names for path in API_GROUPS[name])


@dataclass(frozen=True, slots=True)
class ProviderSchema:
    """The API of a provider.

    Attributes:
        title: Its name for messages.
        source: Where the provider describes it.
        paths: The APIs that it has in the form in which clients of the gateway send them; None if it has none, so that
            requests have to be translated.
        header: The header of its key.
        prefix: What precedes the key in the header.
        headers: Headers that it requires, with the values that are sent unless the client sends its own.
        cloud: The cloud whose credentials it takes; empty for static keys only.
        version: The version of the API, if requests have to carry one that policies do not choose.
    """

    title: str
    source: str
    paths: frozenset[ApiPath] | None
    header: str = "authorization"
    prefix: str = "Bearer "
    headers: Mapping[str, str] = field(default_factory=dict)
    cloud: Cloud | Literal[""] = ""
    version: str = ""


_AWS = "docs.aws.amazon.com/bedrock/latest/APIReference"
_GCP = "cloud.google.com/vertex-ai/generative-ai/docs"
SCHEMAS: Mapping[SchemaName, ProviderSchema] = MappingProxyType(
    {
        "openai": ProviderSchema(
            "OpenAI",
            "platform.openai.com/docs/api-reference",
            _paths("chat", "completions", "responses", "embeddings", "moderations", "audio", "images"),
        ),
        "azure-openai": ProviderSchema(
            "Azure OpenAI",
            "learn.microsoft.com/azure/ai-services/openai/reference: paths below a deployment",
            frozenset((CHAT, COMPLETIONS, EMBEDDINGS)) | _paths("audio", "images"),
            header="api-key",
            prefix="",
            cloud="azure",
        ),
        "anthropic": ProviderSchema(
            "Anthropic",
            "docs.anthropic.com/en/api/overview: x-api-key, and anthropic-version with every request",
            frozenset((MESSAGES, COUNT_TOKENS)),
            header="x-api-key",
            prefix="",
            headers=MappingProxyType({"anthropic-version": "2023-06-01"}),
        ),
        "cohere": ProviderSchema("Cohere", "docs.cohere.com/reference/rerank", None),
        "aws-bedrock": ProviderSchema("AWS Bedrock", f"{_AWS}: Converse", None, cloud="aws"),
        "aws-anthropic": ProviderSchema(
            "Anthropic on AWS Bedrock",
            f"{_AWS}: InvokeModel; docs.anthropic.com/en/api/claude-on-amazon-bedrock: anthropic_version",
            None,
            cloud="aws",
            version="bedrock-2023-05-31",
        ),
        "gcp-vertex-ai": ProviderSchema("GCP Vertex AI", f"{_GCP}/model-reference/inference", None, cloud="gcp"),
        "gcp-anthropic": ProviderSchema(
            "Anthropic on GCP Vertex AI",
            f"{_GCP}/partner-models/claude: rawPredict with anthropic_version",
            None,
            cloud="gcp",
            version="vertex-2023-10-16",
        ),
    }
)
"""By the word of `schema`."""
AZURE_DEPLOYMENT = "/openai/deployments/"
"""What precedes the name of the deployment in the path of an Azure URL."""
AZURE_VERSION = "api-version"
"""The parameter of the query with the version of an Azure API."""
