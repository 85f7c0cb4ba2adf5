"""``gateway.listeners``: ports, hostnames, TLS and redirects of the Gateway."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Label, Port, Text, shown
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOSTNAME = rf"(\*\.)?{_LABEL}(\.{_LABEL}){{1,30}}"
Hostname = Annotated[
    Text,
    shown(_HOSTNAME, "a hostname such as `api.example.com` or `*.example.com` (lower-case, without port and scheme)"),
    Field(max_length=253),
]
Hostnames = Annotated[list[Hostname], Field(min_length=1, max_length=16)]
_LISTENER = r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?"
ListenerName = Annotated[
    Text, shown(_LISTENER, "the name of a listener (lower-case letters, digits and `-`, at most 40, a letter first)")
]
_OBJECT = rf"{_LABEL}(\.{_LABEL}){{0,8}}"
ObjectName = Annotated[
    Text, shown(_OBJECT, "the name of an object (lower-case letters, digits, `-` and `.`)"), Field(max_length=253)
]


class SecretSpec(PolicyModel):
    """A Secret in another namespace than the Gateway. A ReferenceGrant lets the Gateway use it."""

    name: ObjectName
    namespace: Label


class IssuerSpec(PolicyModel):
    """An issuer of cert-manager. Give its name alone for a ClusterIssuer."""

    name: ObjectName
    kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"


class TlsSpec(PolicyModel):
    """The certificate of a listener: a Secret of the type ``kubernetes.io/tls``, or an issuer that fills one."""

    secret: (
        Annotated[Annotated[ObjectName, AsText] | Annotated[SecretSpec, AsMapping], by_shape(TEXT, MAPPING)] | None
    ) = None
    issuer: (
        Annotated[Annotated[ObjectName, AsText] | Annotated[IssuerSpec, AsMapping], by_shape(TEXT, MAPPING)] | None
    ) = None


class ClientCertificatesSpec(PolicyModel):
    """The authorities of client certificates: ``ca.crt`` of a Secret or ConfigMap in the Gateway's namespace."""

    secret: ObjectName | None = None
    config_map: ObjectName | None = None

    @model_validator(mode="after")
    def _one_of(self) -> ClientCertificatesSpec:
        if (self.secret is None) == (self.config_map is None):
            raise PydanticCustomError("one_of", "`clientCertificates` is exactly one of `secret` and `configMap`")
        return self


class ListenerSpec(PolicyModel):
    """A port of the Gateway. With ``redirect`` it only sends clients to another listener, which has TLS."""

    name: ListenerName
    port: Port
    hostnames: Hostnames | None = None
    tls: TlsSpec | None = None
    client_certificates: ClientCertificatesSpec | None = None
    redirect: ListenerName | None = None
    allowed_namespaces: Annotated[list[Label], Field(min_length=1, max_length=16)] | None = None


Listeners = Annotated[list[ListenerSpec], Field(min_length=1, max_length=16)]
