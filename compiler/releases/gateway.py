"""The gateway's APIs by release: which fields a pool has, how many backends a rule takes, what Istio can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GatewayApi:
    """A release of the Gateway API: what one HTTPRoute rule and one ReferenceGrant hold."""

    max_backends: int
    max_grants: int


@dataclass(frozen=True, slots=True)
class PoolApi:
    """A release of the InferencePool API: fields that the API server would fill in."""

    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Istio:
    """A release of Istio. ``many_pools``: pools of several routes on one Gateway keep their own endpoint pickers."""

    many_pools: bool


GATEWAY_API: Mapping[str, GatewayApi] = MappingProxyType(dict.fromkeys(("1.2.0", "1.5.1"), GatewayApi(16, 16)))

INFERENCE_EXTENSION: Mapping[str, PoolApi] = MappingProxyType(
    {"1.1.0": PoolApi(), "1.5.0": PoolApi(MappingProxyType({"appProtocol": "http"}))}
)

ISTIO: Mapping[str, Istio] = MappingProxyType(
    # Before 1.28.5 only the first pool of a Gateway kept its picker (istio/istio#58392).
    dict.fromkeys(("1.28.0", "1.28.1", "1.28.2", "1.28.3", "1.28.4"), Istio(many_pools=False))
    | dict.fromkeys(("1.28.5", "1.29.0", "1.29.6", "1.30.3"), Istio(many_pools=True))
)
