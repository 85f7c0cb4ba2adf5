"""The dialect of agentgateway: what it says about clients, and what it must hear of a decision.

It removes no header before it asks the router, and its authentication puts nothing into headers. So the router removes
what clients may not send, and takes identities from attributes of the request, which clients cannot set. Routes demand
a mark that the gateway sets from the dynamic metadata of the router's answer.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf import json_format, struct_pb2
from google.protobuf.message import DecodeError

from vsr_runtime.decision.identity.rules import IdentityRules
from vsr_runtime.decision.request.events import RequestHeaders, SendToModel
from vsr_runtime.server.clients import UNKNOWN, network_of
from vsr_schemas.headers import DECIDED_KEY, DECIDED_VALUE, STRIPPED, STRIPPED_PREFIXES
from vsr_schemas.identity import CLAIM_PREFIX, HEADERS

ADDRESS = "source.address"
RESERVED = frozenset(STRIPPED)
"""Headers that no client may send, without those that a prefix covers."""
_PREFIXES = (*STRIPPED_PREFIXES, CLAIM_PREFIX)
_BEHIND = frozenset(HEADERS.values())
Headers = tuple[tuple[str, str], ...]


def _mark() -> bytes:
    data: bytes = struct_pb2.Struct(
        fields={DECIDED_KEY: struct_pb2.Value(string_value=DECIDED_VALUE)}
    ).SerializeToString()
    return data


MARK = _mark()
"""The dynamic metadata of a decision, serialised."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What is known of the sender of a request.

    Attributes:
        address: its address; empty if the gateway does not tell it.
        behind: headers about the client for the model. Never logged.
        removed: headers that the client sent and may not send.
    """

    address: str = ""
    behind: Headers = field(default=(), repr=False)
    removed: tuple[str, ...] = ()

    def apply(self, action: SendToModel) -> SendToModel:
        """Return the action with these headers as well."""
        return replace(
            action,
            set_headers=(*action.set_headers, *self.behind),
            remove_headers=(*action.remove_headers, *self.removed),
        )


def read_vouched(
    event: RequestHeaders,
    message: Any,  # noqa: ANN401 - protobuf classes built at run time have no static type
    identity: IdentityRules | None,
) -> tuple[RequestHeaders, Vouched]:
    """Return the headers that count, with those about the client by the gateway's word, and what is known of it.

    Args:
        event: the headers as they came.
        message: the message with the attributes.
        identity: how clients are authenticated; None if they are not.
    """
    attributes = _attributes(message)
    removed = tuple(dict.fromkeys(name for name, _ in event.headers if _reserved(name)))
    kept = tuple(pair for pair in event.headers if not _reserved(pair[0])) if removed else event.headers
    claims: Headers = ()
    if identity is not None and not identity.keys and not identity.front_end:
        claims = tuple(
            (header, text)
            for header in identity.headers.values()
            if header in attributes and (text := _text(attributes[header])) is not None
        )
    address = _text(attributes[ADDRESS]) if ADDRESS in attributes else None
    behind = tuple((name, value) for name, value in claims if name in _BEHIND)
    return replace(event, headers=(*kept, *claims)), Vouched(address or "", behind, removed)


def sender_of(message: Any) -> bytes:  # noqa: ANN401 - as above
    """Return the client's address, or its network of version 6: see `clients.client_of`."""
    attributes = _attributes(message)
    text = _text(attributes[ADDRESS]) if ADDRESS in attributes else None
    if not text:
        return UNKNOWN
    return network_of(f"[{text}]".encode() if ":" in text else text.encode())


def _reserved(name: str) -> bool:
    return name in RESERVED or name.startswith(_PREFIXES)


def _attributes(message: Any) -> Mapping[str, struct_pb2.Value]:  # noqa: ANN401 - as above
    """Return the attributes by name; none if they cannot be read, so that nobody is known."""
    found: dict[str, struct_pb2.Value] = {}
    for entry in message.attributes:
        try:
            found.update(struct_pb2.Struct.FromString(entry.value).fields)
        except DecodeError:
            return {}
    return found


def _text(value: struct_pb2.Value) -> str | None:
    """Return a value as Envoy puts a claim into a header: texts as they are, lists and objects as JSON in base64."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return str(value.string_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "number_value":
        number = float(value.number_value)
        return str(int(number)) if number.is_integer() else repr(number)
    if kind in ("list_value", "struct_value"):
        return b64encode(json.dumps(json_format.MessageToDict(value)).encode()).decode()
    return None
