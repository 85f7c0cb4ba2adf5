"""How clients are authenticated, and conditions on their attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.names import object_name
from vsr_schemas.identity import HEADERS, ROLE


@dataclass(frozen=True, slots=True)
class ClientTest:
    """True if an attribute of the client has one of these values. A client may have several roles."""

    attribute: str
    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """The test in words: ``team red or blue``."""
        return f"{self.attribute} {' or '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Jwt:
    """Tokens of an issuer, which the gateway checks. ``claims`` are pairs of an attribute and its claim, sorted."""

    issuer: str
    audiences: tuple[str, ...]
    jwks_uri: str
    claims: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A client's key in a Secret of the router's namespace, and the client's attributes, sorted, with all roles."""

    secret: str
    key: str
    attributes: tuple[tuple[str, str], ...]
    roles: tuple[str, ...]
    span: Span

    @property
    def file(self) -> str:
        """The file of the key, relative to the router's folder of client keys."""
        return f"{object_name(self.secret)}/{object_name(self.key)}"


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Keys of clients. The router knows their attributes."""

    keys: tuple[ApiKey, ...]


@dataclass(frozen=True, slots=True)
class GatewayHeader:
    """Headers of a front end that may be trusted if they come from one of its networks.

    ``headers`` are pairs of an attribute and the front end's header, sorted. Without networks, every listener requires
    client certificates, and only the front end has one.
    """

    headers: tuple[tuple[str, str], ...]
    networks: tuple[str, ...]


IdentitySource = Jwt | ApiKeys | GatewayHeader


@dataclass(frozen=True, slots=True)
class Identity:
    """How clients are authenticated. Whoever is not, is refused."""

    source: IdentitySource
    span: Span

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that some client can have, sorted."""
        match self.source:
            case Jwt(claims=pairs) | GatewayHeader(headers=pairs):
                return tuple(attribute for attribute, _ in pairs)
            case ApiKeys(keys):
                names = {name for key in keys for name, _ in key.attributes}
                return tuple(sorted(names | ({ROLE} if any(key.roles for key in keys) else set())))
        assert_never(self.source)

    @property
    def headers(self) -> dict[str, str]:
        """The header of each attribute behind the router's filter: what limits can count by. Other claims end there."""
        return {attribute: HEADERS[attribute] for attribute in self.attributes if attribute in HEADERS}
