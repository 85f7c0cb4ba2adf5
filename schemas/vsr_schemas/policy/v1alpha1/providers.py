"""How endpoints are authenticated to, and which API a provider speaks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import HeaderName, Label, ObjectName, SecretKeyName, Text

SchemaName = Literal[
    "openai",
    "azure-openai",
    "anthropic",
    "cohere",
    "aws-bedrock",
    "aws-anthropic",
    "gcp-vertex-ai",
    "gcp-anthropic",
]
"""The API of a provider. `releases/providers.py` of the compiler knows its paths and who translates to it."""


class SecretKeySpec(PolicyModel):
    """A key of a Secret. A policy never contains the value."""

    secret: Label
    key: SecretKeyName


class ProviderKeySpec(SecretKeySpec):
    """An API key and how it is sent: in a header, after a prefix, or in a parameter of the query.

    The defaults are those of the provider's schema: ``authorization: Bearer …``, ``api-key``, or ``x-api-key``.
    """

    header: HeaderName | None = None
    prefix: Annotated[Text, Field(max_length=32, pattern=r"^([!-~]+ )?$")] | None = None
    query: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> ProviderKeySpec:
        if self.query is not None and (self.header is not None or self.prefix is not None):
            raise PydanticCustomError("one_of", "a key is sent in a `header` or in a `query` parameter, not both")
        return self


class AwsAuthSpec(PolicyModel):
    """Signatures of AWS (Signature Version 4).

    ``secret`` contains a credentials file under the key ``credentials``. Without it, the gateway's pods get their
    identity from the cluster.
    """

    region: Annotated[Text, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")]
    secret: ObjectName | None = None
    profile: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None


class GcpAuthSpec(PolicyModel):
    """Access tokens of Google Cloud.

    ``secret`` contains the key of a service account under ``service_account.json``. Without it, the gateway's pods
    get their identity from the cluster.
    """

    project: Annotated[Text, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    region: Annotated[Text, Field(pattern=r"^[a-z]+(-[a-z0-9]+)*$", max_length=64)]
    secret: ObjectName | None = None


class AzureAuthSpec(PolicyModel):
    """Access tokens of Microsoft Entra. ``secret`` contains the client's secret under the key ``client-secret``."""

    client_id: Annotated[Text, Field(pattern=r"^[0-9A-Fa-f-]{36}$")]
    tenant_id: Annotated[Text, Field(pattern=r"^[0-9A-Fa-f-]{36}$")]
    secret: ObjectName


class CloudAuthSpec(PolicyModel):
    """Credentials of a cloud, which are signed or exchanged for every request: exactly one of them."""

    aws: AwsAuthSpec | None = None
    gcp: GcpAuthSpec | None = None
    azure: AzureAuthSpec | None = None

    @model_validator(mode="after")
    def _one(self) -> CloudAuthSpec:
        if sum(kind is not None for kind in (self.aws, self.gcp, self.azure)) != 1:
            raise PydanticCustomError("one_of", "`auth` is exactly one of `aws`, `gcp` and `azure`")
        return self
