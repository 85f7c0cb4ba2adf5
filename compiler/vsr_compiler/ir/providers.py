"""How endpoints are authenticated to, and which API a provider outside the cluster speaks."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_schemas.apis import ApiName, ApiPath
from vsr_schemas.policy.v1alpha1 import SchemaName

AUTHORIZATION, BEARER = "authorization", "Bearer "


@dataclass(frozen=True, slots=True)
class EndpointKey:
    """A static key: its Secret, and the header or the parameter of the query that carries it.

    ``query`` is the name of the parameter; empty if a header carries the key after ``prefix``.
    """

    secret: str
    key: str
    header: str = AUTHORIZATION
    prefix: str = BEARER
    query: str = ""

    @property
    def words(self) -> str:
        """How the key is sent, for messages."""
        if self.query:
            return f"the parameter `{self.query}` of the query"
        return f"the header `{self.header}`" + (
            "" if self.prefix or self.header != AUTHORIZATION else " without prefix"
        )


@dataclass(frozen=True, slots=True)
class AwsAuth:
    """Signatures of AWS. Without ``secret`` the gateway's pods have an identity of their own."""

    region: str
    secret: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class GcpAuth:
    """Access tokens of Google Cloud. Without ``secret`` the gateway's pods have an identity of their own."""

    project: str
    region: str
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class AzureAuth:
    """Access tokens of Microsoft Entra."""

    client_id: str
    tenant_id: str
    secret: str


CloudAuth = AwsAuth | GcpAuth | AzureAuth
CLOUDS = {AwsAuth: "aws", GcpAuth: "gcp", AzureAuth: "azure"}


@dataclass(frozen=True, slots=True)
class ProviderApi:
    """The API of a provider.

    Attributes:
        schema: Its name; None if the policy does not say, and the provider may have every API.
        paths: The APIs that it serves to clients that send it their requests unchanged; None for all.
        named: The APIs that the policy lists; None if it lists none.
        query: The query of every request, without `?`; empty for none.
        version: The version of an Azure API, from the query.
        deployment: The deployment of an Azure API, from the path.
    """

    schema: SchemaName | None = None
    paths: frozenset[ApiPath] | None = None
    named: tuple[ApiName, ...] | None = None
    query: str = ""
    version: str = ""
    deployment: str = ""


ANY_API = ProviderApi()
