"""The client of a stream, as the gateway sees it, and its share of what all clients use together."""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from vsr_schemas.headers import ATTEMPTS

UNKNOWN = b""
"""The client of a gateway that does not tell it."""
CLIENT: ContextVar[bytes] = ContextVar("client", default=UNKNOWN)
"""The client that the current task works for. What is limited in it is shared by clients."""
_ATTRIBUTE = b"source.address"
_CHAIN_ATTRIBUTE = b"xds.filter_chain_name"
_CHAIN = ATTEMPTS.encode()
_VALUE = 4
"""Bytes between an attribute's name and its value in the serialised struct: two tags with their lengths."""
_LONGEST = 80
_NETWORK = 64
"""Bits of an IPv6 address that one client cannot choose."""
_CROWDED = 0.75
"""Part of a limit from which shares count. Below it, anybody may use what is there."""


def client_of(message: Any) -> bytes:  # noqa: ANN401 - protobuf classes built at run time have no static type
    """Return the client's address, without its port, from the attribute that the filter requests.

    Clients cannot choose it: it is the connection's, or by the gateway's own settings that of a trusted proxy's header.
    """
    for attribute in message.attributes:
        _, name, value = attribute.value.partition(_ATTRIBUTE)
        if name and len(value) <= _LONGEST:
            return network_of(value[_VALUE:].rpartition(b":")[0])
    return UNKNOWN


def is_attempt(message: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether a stream is one attempt of a decided request, which the proxy sends to itself.

    The filter of that listener tells its filter chain instead of an address. The listener is in no network.
    """
    return any(_CHAIN_ATTRIBUTE in attribute.value and _CHAIN in attribute.value for attribute in message.attributes)


def address_of(message: Any) -> str:  # noqa: ANN401 - as above
    """Return the whole address of the client, without its port; empty if the gateway does not tell it."""
    for attribute in message.attributes:
        _, name, value = attribute.value.partition(_ATTRIBUTE)
        if name and len(value) <= _LONGEST:
            return str(value[_VALUE:].rpartition(b":")[0].strip(b"[]").decode("ascii", "replace"))
    return ""


@lru_cache(1024)
def network_of(address: bytes) -> bytes:
    """Return the address, or the network of an IPv6 address: a client has many of them."""
    if not address.startswith(b"["):
        return address
    try:
        parsed = ip_address(address.strip(b"[]").decode("ascii"))
    except ValueError:
        return address
    return parsed.packed[: _NETWORK // 8] if isinstance(parsed, IPv6Address) else address


class FairShares:
    """What each client uses of something that is limited."""

    def __init__(self) -> None:
        self.total = 0
        self._used: dict[bytes, int] = {}

    def add(self, client: bytes, amount: int) -> None:
        """Count what a client takes, or gives back."""
        self.total += amount
        if used := self._used.get(client, 0) + amount:
            self._used[client] = used
        else:
            self._used.pop(client, None)

    def used(self, client: bytes) -> int:
        """What one client uses."""
        return self._used.get(client, 0)

    def up_to(self, most: int) -> int:
        """What all clients use, of which each counts for at most this much."""
        return sum(min(used, most) for used in self._used.values())

    def over(self, client: bytes, limit: float) -> bool:
        """Whether most of the limit is used, and more than its share by this client.

        The share is the limit divided by the number of clients that use some of it, and at most half of it.
        """
        return self.total >= _CROWDED * limit and self._used.get(client, 0) > limit / max(2, len(self._used))
