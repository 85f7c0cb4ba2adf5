"""Hosts: environments without a cluster. One machine runs Envoy, the router and model servers in containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COMPOSE = "compose"
"""The target of such an environment."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Host:
    """A machine.

    Attributes:
        bind: The address on which listeners are published.
        places: Host and port of endpoints that run elsewhere, by name; `localhost` is the machine itself.
        image: Another image of Envoy.
    """

    bind: str = LOOPBACK
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    image: str | None = None
