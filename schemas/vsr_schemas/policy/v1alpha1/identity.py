"""``identity``: how clients are authenticated, and what is known of them."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.clients import AttributeName, AttributeValue, AttributeValues
from vsr_schemas.policy.v1alpha1.providers import SecretKeySpec
from vsr_schemas.scalars import HeaderName, Text, shown
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape

_CLAIM = r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,4}"
ClaimPath = Annotated[
    Text,
    shown(
        _CLAIM,
        "a claim (letters, digits, `-` and `_`; `.` leads into a nested claim, so no gateway reads a name with dots)",
    ),
]
_ISSUER = r"[!-)+-~]{1,253}"
Issuer = Annotated[Text, shown(_ISSUER, "an issuer (printable ASCII without blanks and `*`, at most 253)")]
_IN_CLUSTER = r"http://[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}(\.svc(\.cluster\.local)?)?"
_JWKS = rf"(https://[A-Za-z0-9.-]{{1,253}}|{_IN_CLUSTER})(:[0-9]{{1,5}})?(/[!-~]*)?"
JwksUri = Annotated[
    Text,
    shown(_JWKS, "the https URL of a key set, or the http URL of a Service in the cluster"),
    Field(max_length=253),
]


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=True)
    except ValueError:
        message = "`{value}` is not an address or a network such as `10.1.0.0/16`, with zeros behind the prefix"
        raise PydanticCustomError("form", message, {"value": value[:80]}) from None
    if network.prefixlen == 0:
        raise PydanticCustomError("form", "`{value}` is every address", {"value": value})
    return value


Network = Annotated[Text, AfterValidator(_network), Field(json_schema_extra={"maxLength": 49})]


class JwtSpec(PolicyModel):
    """Tokens of one issuer, in `authorization: Bearer`. ``claims`` maps attributes of the client to claims."""

    issuer: Issuer
    audiences: Annotated[list[Issuer], Field(min_length=1, max_length=8)]
    jwks_uri: JwksUri
    claims: Annotated[dict[AttributeName, ClaimPath], Field(max_length=16)] = {}


class ApiKeySpec(SecretKeySpec):
    """A client's key, by reference, and who the client is. ``claims`` are further attributes and their values."""

    user: AttributeValue
    team: AttributeValue | None = None
    role: AttributeValues | None = None
    tenant: AttributeValue | None = None
    claims: Annotated[dict[AttributeName, AttributeValue], Field(max_length=16)] = {}


class GatewayHeaderSpec(PolicyModel):
    """Headers of a front end that has authenticated its users. Only ``from`` may send requests.

    These are networks, or ``clientCertificates``: whoever has a certificate that all listeners require.
    """

    from_: Annotated[
        Annotated[Literal["clientCertificates"], AsText]
        | Annotated[list[Network], Field(min_length=1, max_length=64), AsList],
        by_shape(TEXT, LIST),
    ] = Field(alias="from")
    user: HeaderName
    team: HeaderName | None = None
    role: HeaderName | None = None
    tenant: HeaderName | None = None
    claims: Annotated[dict[AttributeName, HeaderName], Field(max_length=16)] = {}


class IdentitySpec(PolicyModel):
    """How clients are authenticated: exactly one of ``jwt``, ``apiKeys`` and ``gatewayHeader``."""

    jwt: JwtSpec | None = None
    api_keys: Annotated[list[ApiKeySpec], Field(min_length=1, max_length=256)] | None = None
    gateway_header: GatewayHeaderSpec | None = None

    @model_validator(mode="after")
    def _one_of(self) -> IdentitySpec:
        if sum(one is not None for one in (self.jwt, self.api_keys, self.gateway_header)) != 1:
            raise PydanticCustomError("one_of", "`identity` is exactly one of `jwt`, `apiKeys` and `gatewayHeader`")
        return self


class EnvironmentIdentitySpec(PolicyModel):
    """The issuer of this environment, where it differs from that of ``identity.jwt``."""

    issuer: Issuer | None = None
    audiences: Annotated[list[Issuer], Field(min_length=1, max_length=8)] | None = None
    jwks_uri: JwksUri | None = None
