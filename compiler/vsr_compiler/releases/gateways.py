"""Releases of gateways and their APIs: fields, limits, and which releases fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GatewayApi:
    """A release of the Gateway API.

    Attributes:
        max_backends: The maximum number of backends of an HTTPRoute rule.
        max_grants: The maximum number of entries in `from` and in `to` of a ReferenceGrant.
    """

    max_backends: int
    max_grants: int


@dataclass(frozen=True, slots=True)
class PoolApi:
    """A release of the InferencePool API, with the defaults that the API server adds."""

    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Istio:
    """A release of Istio. ``many_pools``: a Gateway can have several pools, each with its own endpoint picker."""

    many_pools: bool


@dataclass(frozen=True, slots=True)
class EnvoyGateway:
    """A release of Envoy Gateway.

    Attributes:
        brings: The release of the Gateway API whose CRDs are in its chart.
        gateway_apis: Releases of the Gateway API that it works with.
        names_by_port: Whether listeners in Envoy are named by port (XDSNameSchemeV2) and not by Gateway.
        retry_budgets: Whether a BackendTrafficPolicy can limit retries by a share of the requests.
        max_removed_headers: The maximum length of `earlyRequestHeaders.remove` of a ClientTrafficPolicy, in its CRD.
        removes_on_match: Whether `earlyRequestHeaders` has `removeOnMatch`, with as many matchers.
    """

    brings: str
    gateway_apis: frozenset[str]
    names_by_port: bool = False
    retry_budgets: bool = False
    max_removed_headers: int = 64
    removes_on_match: bool = False


@dataclass(frozen=True, slots=True)
class AiGateway:
    """A release of Envoy AI Gateway.

    Attributes:
        api: The apiVersion of its routes and backends.
        prefix: The field of a backend's schema with the path of its API.
        rule_names: Whether rules have names.
        envoy_gateways: Releases of Envoy Gateway that it extends.
        chart_values: Values of its chart that requests need. By default it serves Anthropic's API below `/anthropic`.
    """

    api: str
    prefix: str
    rule_names: bool
    envoy_gateways: frozenset[str]
    chart_values: Mapping[str, object] = field(default_factory=dict)


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
        # It watches ListenerSets, which older Gateway APIs do not have. Names by port become the default in 1.10.
        "1.8.3": EnvoyGateway("1.5.1", frozenset({"1.5.1"}), removes_on_match=True, retry_budgets=True),
    }
)

AI_GATEWAY: Mapping[str, AiGateway] = MappingProxyType(
    {
        # Its schema allows 128 rules, but the HTTPRoute that it creates allows 16, and one of those is its own.
        "0.4.0": AiGateway(
            api="aigateway.envoyproxy.io/v1alpha1",
            prefix="version",
            rule_names=False,
            envoy_gateways=frozenset({"1.6.7"}),
        ),
        "1.1.0": AiGateway(
            api="aigateway.envoyproxy.io/v1beta1",
            prefix="prefix",
            rule_names=True,
            envoy_gateways=frozenset({"1.8.3"}),
            # cmd/extproc/mainlib/main.go: path.Join(rootPrefix, endpointPrefixes.Anthropic, "/v1/messages").
            chart_values=MappingProxyType({"endpointConfig": {"anthropic": ""}}),
        ),
    }
)
