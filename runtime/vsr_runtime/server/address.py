"""Parses listen addresses."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; an IPv6 host without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parse ``host:port`` or ``[ipv6]:port``.

    Raises:
        ValueError: the text is neither.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= _MAX_PORT):
        raise ValueError(f"{text!r} is not an address; write host:port, such as 127.0.0.1:50051")
    if (":" in host) is not bracketed:
        raise ValueError(f"{text!r} is not an address; write an IPv6 host in brackets, such as [::1]:50051")
    return Address(host, int(port))
