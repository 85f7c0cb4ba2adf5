"""What releases of the Gateway API break."""

from __future__ import annotations

from types import MappingProxyType

from vsr_compiler.releases.breakages.model import Behaviour, Breakage, Condition, Fields, Together, Versions

_API = "gateway-api"
_GROUP, _EXPERIMENTAL = "gateway.networking.k8s.io", "gateway.networking.x-k8s.io"

BREAKAGES = (
    Breakage(
        component=_API,
        since="1.5.0",
        what="the API server rejects {found} without an entry",
        remedy="Add a rule, or remove the field: by default a route has one rule for every path.",
        source="kubernetes-sigs/gateway-api 1.5.0, apis/v1/httproute_types.go (MinItems)",
        sign=Fields(_GROUP, ("HTTPRoute",), "spec.rules", Condition.EMPTY),
    ),
    Breakage(
        component=_API,
        since="1.4.0",
        what="the API server rejects a rule without {found}",
        remedy="Add a backendRef.",
        source="kubernetes-sigs/gateway-api 1.4.0, apis/v1alpha2/tcproute_types.go (required)",
        sign=Fields(
            _GROUP, ("TCPRoute", "UDPRoute", "TLSRoute"), "spec.rules[].backendRefs", Condition.ABSENT_OR_EMPTY
        ),
    ),
    Breakage(
        component=_API,
        since="1.6.0",
        what="{found} does not exist any more: the API server drops it, or rejects it if validation is strict",
        remedy="Remove the field. Sessions end by `absoluteTimeout` only.",
        source="kubernetes-sigs/gateway-api#4771",
        sign=Fields(_GROUP, ("HTTPRoute", "GRPCRoute"), "spec.rules[].sessionPersistence.idleTimeout"),
    ),
    Breakage(
        component=_API,
        since="1.6.0",
        what="{found} does not exist any more: the API server drops it, or rejects it if validation is strict",
        remedy="Remove the field. Sessions end by `absoluteTimeout` only.",
        source="kubernetes-sigs/gateway-api#4771",
        sign=Fields(_EXPERIMENTAL, ("XBackendTrafficPolicy",), "spec.sessionPersistence.idleTimeout"),
    ),
    Breakage(
        component=_API,
        since="1.7.0",
        what="{found} does not exist any more",
        remedy="Name the session in `cookie` or `header`.",
        source="kubernetes-sigs/gateway-api 1.7.0, definition of XBackendTrafficPolicy",
        sign=Fields(_EXPERIMENTAL, ("XBackendTrafficPolicy",), "spec.sessionPersistence.sessionName"),
    ),
    Breakage(
        component=_API,
        since="1.7.0",
        what="{found} does not exist any more",
        remedy="Use `cookie`.",
        source="kubernetes-sigs/gateway-api 1.7.0, definition of XBackendTrafficPolicy",
        sign=Fields(_EXPERIMENTAL, ("XBackendTrafficPolicy",), "spec.sessionPersistence.cookieConfig"),
    ),
    Breakage(
        component=_API,
        since="1.6.0",
        what="the use of {found} is deprecated: it will be removed",
        remedy="Use {instead} of the API.",
        source="kubernetes-sigs/gateway-api#4920, #4923",
        sign=Versions(_GROUP, MappingProxyType({"TCPRoute": "v1", "UDPRoute": "v1"}), frozenset({"v1alpha2"})),
        severity="note",
    ),
    Breakage(
        component=_API,
        since="1.3.0",
        what="there is no {found} any more",
        remedy="Use {instead} of the group gateway.networking.x-k8s.io.",
        source="kubernetes-sigs/gateway-api 1.3.0, definitions of the experimental channel",
        sign=Versions(_GROUP, MappingProxyType({"BackendLBPolicy": "XBackendTrafficPolicy"})),
    ),
    Breakage(
        component=_API,
        since="1.5.0",
        what="the admission policy `safe-upgrades.gateway.networking.k8s.io` refuses {found}",
        remedy="Install the definitions of the release, and nothing that brings older ones.",
        source="kubernetes-sigs/gateway-api#4533, config/crd/standard/gateway.networking.k8s.io_vap_safeupgrades.yaml",
        sign=Together(Behaviour.OLD_DEFINITIONS),
    ),
)
