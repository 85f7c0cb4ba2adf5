"""The CEL libraries of Kubernetes for IP addresses and CIDRs. Source: Go's `net/netip`, which they call."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from vsr_compiler.verify.schema.cel.values import CelError, type_name

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_LINK_LOCAL_MULTICAST = ipaddress.IPv4Network("224.0.0.0/24")
MAX_TEXT = 100


def _address(text: Any) -> Address | None:  # noqa: ANN401 - any value
    if not isinstance(text, str):
        raise CelError(f"{type_name(text)} is not a string")
    if len(text) > MAX_TEXT or not text.isascii():
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    rejected = isinstance(found, ipaddress.IPv6Address) and (found.ipv4_mapped is not None or "%" in text)
    return None if rejected else found


def address(value: Any) -> Address:  # noqa: ANN401 - any value
    """Implement `ip(x)`."""
    found = _address(value)
    if found is None:
        raise CelError(f"`{str(value)[:60]}` is not an IP address")
    return found


def _ip_of(value: Any) -> Address:  # noqa: ANN401 - any value
    if isinstance(value, Network):
        return ipaddress.ip_address(int(value.ip)) if value.version == 4 else ipaddress.IPv6Address(int(value.ip))  # noqa: PLR2004
    raise TypeError


def _network(text: Any) -> Network | None:  # noqa: ANN401 - any value
    if not isinstance(text, str):
        raise CelError(f"{type_name(text)} is not a string")
    base, slash, length = text.rpartition("/")
    if not slash or not _LENGTH.fullmatch(length) or _address(base) is None:
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


def network(value: Any) -> Network:  # noqa: ANN401 - any value
    """Implement `cidr(x)`."""
    found = _network(value)
    if found is None:
        raise CelError(f"`{str(value)[:60]}` is not a CIDR")
    return found


def is_cidr(text: Any) -> bool:  # noqa: ANN401 - any value
    """Implement `isCIDR(x)`."""
    return _network(text) is not None


def _contains_ip(whole: Network, value: Any) -> bool:  # noqa: ANN401 - any value
    part = value if isinstance(value, Address) else address(value)
    return part.version == whole.version and part in whole.network


def _contains_cidr(whole: Network, value: Any) -> bool:  # noqa: ANN401 - any value
    part = value if isinstance(value, Network) else network(value)
    same = part.version == whole.version
    return same and part.ip in whole.network and part.network.prefixlen >= whole.network.prefixlen


def _link_local_multicast(value: Address) -> bool:
    if isinstance(value, ipaddress.IPv4Address):
        return value in _LINK_LOCAL_MULTICAST
    return value.packed[0] == 0xFF and value.packed[1] & 15 == 2  # noqa: PLR2004 - RFC 4291


def _global_unicast(value: Address) -> bool:
    special = value.is_unspecified or value.is_loopback or value.is_multicast or value.is_link_local
    return not special and value != _BROADCAST


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "isIP": lambda text: _address(text) is not None,
    "ip": address,
    "ip.isCanonical": lambda text: str(address(text)) == text,
    "isCIDR": is_cidr,
    "cidr": network,
}
METHODS: dict[str, Callable[..., Any]] = {
    "family": lambda value: value.version,
    "isUnspecified": lambda value: value.is_unspecified,
    "isLoopback": lambda value: value.is_loopback,
    "isLinkLocalUnicast": lambda value: value.is_link_local,
    "isLinkLocalMulticast": _link_local_multicast,
    "isGlobalUnicast": _global_unicast,
    "ip": _ip_of,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "prefixLength": lambda value: value.network.prefixlen,
    "masked": lambda value: ipaddress.ip_interface(str(value.network)),
}
