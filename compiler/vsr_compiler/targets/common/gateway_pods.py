"""The proxies that a Gateway's control plane makes: where they run, and how they are told from others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vsr_compiler import ir


@dataclass(frozen=True, slots=True)
class GatewayPods:
    """The pods of a Gateway. ``metrics`` is the name of their port for Prometheus, at ``/stats/prometheus``."""

    namespace: str
    labels: Mapping[str, str]
    metrics: str


Pods = Callable[[ir.Policy], GatewayPods]
"""How a control plane of some kind runs a policy's Gateway."""
