"""The CEL libraries of Kubernetes for URLs, IP addresses and CIDRs."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from vsr_compiler.verify.schema.cel.values import CelError, type_name

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface
MAX_URL = 8192


def parse_url(text: Any) -> SplitResult | None:  # noqa: ANN401 - any value
    """Return a URL, absolute or a path from the root, as Go's ParseRequestURI; None if it is invalid."""
    if not isinstance(text, str):
        raise CelError(f"{type_name(text)} is not a string")
    if len(text) > MAX_URL or any(character <= " " or character == "\x7f" for character in text):
        return None
    scheme, colon, rest = text.partition(":")
    known = colon and scheme[:1].isalpha() and scheme.isascii() and all(c.isalnum() or c in "+-." for c in scheme)
    if not text.startswith("/") and (not known or not rest.startswith("/")):
        return None
    try:
        found = urlsplit(text)
        _ = found.port
    except ValueError:
        return None
    return found


def url(text: Any) -> SplitResult:  # noqa: ANN401 - any value
    """Implement `url(x)`."""
    found = parse_url(text)
    if found is None:
        raise CelError(f"`{str(text)[:60]}` is not a URL")
    return found


def _host(found: SplitResult) -> str:
    return found.netloc.rpartition("@")[2]


def _hostname(found: SplitResult) -> str:
    host = _host(found)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _query(found: SplitResult) -> dict[str, list[str]]:
    return parse_qs(found.query, keep_blank_values=True, max_num_fields=1000)


def _address(text: Any) -> Address | None:  # noqa: ANN401 - any value
    if not isinstance(text, str):
        raise CelError(f"{type_name(text)} is not a string")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = isinstance(found, ipaddress.IPv6Address) and (found.ipv4_mapped is not None or found.scope_id)
    return None if mapped else found


def address(value: Any) -> Address:  # noqa: ANN401 - any value
    """Implement `ip(x)`, and `ip()` of a CIDR."""
    if isinstance(value, Network):
        return value.ip
    found = _address(value)
    if found is None:
        raise CelError(f"`{str(value)[:60]}` is not an IP address")
    return found


def _network(text: Any) -> Network | None:  # noqa: ANN401 - any value
    if not isinstance(text, str):
        raise CelError(f"{type_name(text)} is not a string")
    base, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or _address(base) is None:
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


def _contains_ip(whole: Network, value: Any) -> bool:  # noqa: ANN401 - any value
    part = value if isinstance(value, Address) else address(value)
    return part in whole.network


def _contains_cidr(whole: Network, value: Any) -> bool:  # noqa: ANN401 - any value
    part = value if isinstance(value, Network) else network(value)
    same = part.version == whole.version
    return same and part.ip in whole.network and part.network.prefixlen >= whole.network.prefixlen


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "isURL": lambda text: parse_url(text) is not None,
    "url": url,
    "isIP": lambda text: _address(text) is not None,
    "ip": address,
    "ip.isCanonical": lambda text: str(address(text)) == text,
    "isCIDR": lambda text: _network(text) is not None,
    "cidr": network,
}
METHODS: dict[str, Callable[..., Any]] = {
    "getScheme": lambda found: found.scheme,
    "getHost": _host,
    "getHostname": _hostname,
    "getPort": lambda found: "" if found.port is None else str(found.port),
    "getEscapedPath": lambda found: found.path,
    "getQuery": _query,
    "family": lambda value: value.version,
    "isUnspecified": lambda value: value.is_unspecified,
    "isLoopback": lambda value: value.is_loopback,
    "isLinkLocalUnicast": lambda value: value.is_link_local,
    "isLinkLocalMulticast": lambda value: value.is_multicast and value.packed[1] & 15 == 2,  # noqa: PLR2004 - RFC 4291
    "isGlobalUnicast": lambda value: (
        not (value.is_unspecified or value.is_loopback or value.is_multicast or value.is_link_local)
    ),
    "ip": address,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "prefixLength": lambda value: value.network.prefixlen,
    "masked": lambda value: ipaddress.ip_interface(str(value.network)),
}
