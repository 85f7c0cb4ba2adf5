"""Keys that people try at a place where the language has none, and where it has what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_LISTENERS = (
    "Write a listener: `listeners: [{name: https, port: 443, hostnames: [api.example.com], tls: {secret: NAME}}]`."
)

MOVED: Mapping[tuple[str, ...], str] = MappingProxyType(
    {("gateway", key): _LISTENERS for key in ("tls", "hostname", "hostnames", "port", "host", "hosts", "https")}
)
"""The hint by the path of the key."""
