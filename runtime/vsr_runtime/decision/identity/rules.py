"""How clients are authenticated by what the gateway, or a front end behind it, says of them; or by their keys."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address

from vsr_runtime.decision.identity.client import Client, Tests, passes
from vsr_schemas.identity import HEADERS, MAX_ROLES, MAX_VALUE, ROLE, USER, header_of

Network = IPv4Network | IPv6Network
KEY_HEADERS = ("authorization", "x-api-key", "api-key")
"""Where clients send their keys: as OpenAI's, Anthropic's and Azure's programs do."""
_BEARER = "bearer "
MAX_LIST = 16_384
"""Characters of a list of roles."""
_MAX_KEY = 8192


class UnknownClientError(Exception):
    """The request is of nobody known. ``code`` names the reason, the message tells the client what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """How clients are authenticated, and which models only some of them may use.

    Attributes:
        headers: header by attribute, if the gateway or a front end authenticates.
        networks: addresses from which alone requests may come; empty for all.
        front_end: whether a front end authenticates.
        keys: client by the sha256 of its key, if the router authenticates.
        allow: tests by model, of which a client must pass one. Models without tests are for all.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[Network, ...] = ()
    front_end: bool = False
    keys: Mapping[bytes, Client] = field(default_factory=dict, repr=False)
    allow: Mapping[str, Tests] = field(default_factory=dict)
    removed: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Headers about the client that no model gets, besides credentials."""

    def __post_init__(self) -> None:
        known = frozenset(HEADERS.values())
        object.__setattr__(self, "removed", tuple(name for name in self.headers.values() if name not in known))

    def allows(self, model: str, client: Client | None) -> bool:
        """Return whether a client may use a model."""
        tests = self.allow.get(model)
        return tests is None or passes(tests, client)

    def client_of(self, headers: Sequence[tuple[str, str]], address: str) -> Client:
        """Return the client that sends a request.

        Args:
            headers: the headers, by names in lower case.
            address: the address that the gateway sees; empty if it does not tell it.

        Raises:
            UnknownClientError: it is nobody known.
        """
        if self.keys:
            return self._by_key(headers)
        if self.networks and not self._is_front_end(address):
            raise UnknownClientError("untrusted_sender", "Requests are accepted from the front end only.")
        return self._by_headers(headers)

    def headers_behind(self, client: Client) -> tuple[tuple[str, str], ...]:
        """Return the headers to set for a client that the gateway has not authenticated itself.

        Values of tokens are there already. Limits behind the router count by these headers.
        """
        if not self.keys and not self.front_end:
            return ()
        values = {name: value for name, value in client.attributes.items() if name in HEADERS}
        if client.roles:
            values[ROLE] = ",".join(sorted(client.roles))
        return tuple((header_of(name), value) for name, value in values.items())

    def _is_front_end(self, address: str) -> bool:
        try:
            sender = ip_address(address)
        except ValueError:
            return False
        mapped = sender.ipv4_mapped if sender.version == 6 else None  # noqa: PLR2004 - the protocol's version
        sender = mapped or sender
        return any(sender.version == network.version and sender in network for network in self.networks)

    def _by_headers(self, headers: Sequence[tuple[str, str]]) -> Client:
        found: dict[str, str] = {}
        for attribute, header in self.headers.items():
            values = [value for name, value in headers if name == header]
            if len(values) > 1:
                raise UnknownClientError("ambiguous_identity", f"The {attribute} of the client is not unique.")
            if values and values[0]:
                found[attribute] = _checked(attribute, values[0])
        if USER not in found:
            raise UnknownClientError("identity_required", "The request is of no authenticated user.")
        roles = found.pop(ROLE, None)
        return Client(found, frozenset() if roles is None else self._roles(roles))

    def _roles(self, text: str) -> frozenset[str]:
        """Return the roles in a header: a list of a token, a single claim, or a front end's names with commas."""
        if self.front_end:
            roles = [role.strip() for role in text.split(",") if role.strip()]
        else:
            listed = _list_claim(text)
            roles = [text] if listed is None else listed
        if len(roles) > MAX_ROLES:
            raise UnknownClientError("invalid_identity", f"The client has more than {MAX_ROLES} roles.")
        return frozenset(roles)

    def _by_key(self, headers: Sequence[tuple[str, str]]) -> Client:
        """Return the client of the keys in a request, which must all be the same client's."""
        clients: list[Client] = []
        for name, value in headers:
            if name not in KEY_HEADERS:
                continue
            key = value
            if name == "authorization":
                if not value[: len(_BEARER)].lower() == _BEARER:
                    raise UnknownClientError("invalid_api_key", "The API key must be sent as 'Bearer KEY'.")
                key = value[len(_BEARER) :]
            client = self.keys.get(digest_of(key.strip())) if len(key) <= _MAX_KEY else None
            if client is None:
                raise UnknownClientError("invalid_api_key", "The API key is not valid.")
            clients.append(client)
        if not clients:
            raise UnknownClientError("identity_required", "An API key is required: send it in 'authorization'.")
        if any(client is not clients[0] for client in clients):
            raise UnknownClientError("ambiguous_identity", "The request has keys of several clients.")
        return clients[0]


def digest_of(key: str) -> bytes:
    """Return the digest by which a key is looked up, so that the time of a comparison says nothing about keys."""
    return sha256(key.encode("utf-8", "replace")).digest()


def _checked(attribute: str, value: str) -> str:
    """Return a value that can be compared, logged and sent on.

    Raises:
        UnknownClientError: it is too long, or has control characters, as a hostile claim may.
    """
    longest = MAX_LIST if attribute == ROLE else MAX_VALUE
    if len(value) > longest or not value.isprintable() or "\N{REPLACEMENT CHARACTER}" in value:
        raise UnknownClientError("invalid_identity", f"The {attribute} of the client cannot be used.")
    return value


def _list_claim(text: str) -> list[str] | None:
    """Return the texts of a list in a token, which Envoy puts into a header as JSON in base64; None for any other."""
    try:
        listed = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(listed, list):
        return None
    return [item for item in listed if isinstance(item, str) and item.isprintable()]
