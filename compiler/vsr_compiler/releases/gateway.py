"""The gateways and their APIs by release: which fields there are, how many rules and backends, what goes together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GatewayApi:
    """A release of the Gateway API: what one HTTPRoute rule and one ReferenceGrant hold.

    Attributes:
        max_backends: Of a rule.
        max_grants: Of a ReferenceGrant, each way.
    """

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


@dataclass(frozen=True, slots=True)
class EnvoyGateway:
    """A release of Envoy Gateway.

    Attributes:
        brings: The release of the Gateway API whose CRDs are in its chart.
        gateway_apis: Releases of the Gateway API beside which it runs.
        names_by_port: Whether listeners are called by their ports in Envoy (XDSNameSchemeV2), not by their Gateways.
    """

    brings: str
    gateway_apis: frozenset[str]
    names_by_port: bool = False


@dataclass(frozen=True, slots=True)
class AiGateway:
    """A release of Envoy AI Gateway.

    Attributes:
        api: The apiVersion of its routes and backends.
        prefix: The field of a backend's schema that says where its API lies.
        max_rules: How many rules a route takes.
        rule_names: Whether rules have names.
        envoy_gateways: Releases of Envoy Gateway that it extends.
    """

    api: str
    prefix: str
    max_rules: int
    rule_names: bool
    envoy_gateways: frozenset[str]


GATEWAY_API: Mapping[str, GatewayApi] = MappingProxyType({"1.2.0": GatewayApi(16, 16), "1.5.1": GatewayApi(16, 16)})

INFERENCE_EXTENSION: Mapping[str, PoolApi] = MappingProxyType(
    {"1.1.0": PoolApi(), "1.5.0": PoolApi(MappingProxyType({"appProtocol": "http"}))}
)

ISTIO: Mapping[str, Istio] = MappingProxyType(
    # Before 1.28.5 only the first pool of a Gateway kept its picker (istio/istio#58392).
    dict.fromkeys(("1.28.0", "1.28.1", "1.28.2", "1.28.3", "1.28.4"), Istio(many_pools=False))
    | dict.fromkeys(("1.28.5", "1.29.0", "1.29.6", "1.30.3"), Istio(many_pools=True))
)

ENVOY_GATEWAY: Mapping[str, EnvoyGateway] = MappingProxyType(
    {
        "1.6.7": EnvoyGateway("1.4.0", frozenset({"1.2.0", "1.5.1"})),
        # It watches ListenerSets, which no older Gateway API has. Names by port become the default in 1.10.
        "1.8.3": EnvoyGateway("1.5.1", frozenset({"1.5.1"})),
    }
)

AI_GATEWAY: Mapping[str, AiGateway] = MappingProxyType(
    {
        # Its own schema takes 128 rules, but the HTTPRoute that it makes of them takes 16, of which one is its own.
        "0.4.0": AiGateway(
            api="aigateway.envoyproxy.io/v1alpha1",
            prefix="version",
            max_rules=15,
            rule_names=False,
            envoy_gateways=frozenset({"1.6.7"}),
        ),
        "1.1.0": AiGateway(
            api="aigateway.envoyproxy.io/v1beta1",
            prefix="prefix",
            max_rules=15,
            rule_names=True,
            envoy_gateways=frozenset({"1.8.3"}),
        ),
    }
)
