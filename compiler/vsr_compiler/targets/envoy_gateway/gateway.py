"""The Gateway that Envoy Gateway turns into an Envoy deployment, and what it holds of every client's request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.extproc import http2_window
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, GatewayPods, gateway_duration
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP
from vsr_schemas.headers import STRIPPED

ENVOY_API = f"{ENVOY_GROUP}/v1alpha1"
CONTROLLER = f"{ENVOY_GROUP}/gatewayclass-controller"
CONTROLLER_NAMESPACE = "envoy-gateway-system"
"""Where Envoy Gateway is installed, and where it runs the proxies of every Gateway."""
OWNER = f"{ENVOY_GROUP}/owning-gateway"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
_UNITS = ((2**20, "Mi"), (2**10, "Ki"))


def emitter(
    homes: Callable[[ir.Policy], Iterable[str]], stripped: Iterable[str] = ()
) -> Callable[[ir.Policy], Iterator[Object]]:
    """The Gateway for routes in these namespaces.

    Args:
        homes: The namespaces in which a policy's routes stand.
        stripped: Headers that a client may not send either, beside those of every gateway.
    """
    headers = [*STRIPPED, *stripped]

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Its class, which is its own; the Gateway; the proxies' settings; what clients are held to."""
        gateway = policy.gateway
        yield make(GATEWAY_API, "GatewayClass", gateway.class_name, gateway.span, spec={"controllerName": CONTROLLER})
        yield _gateway(policy, sorted(homes(policy)))
        yield _proxy(policy)
        yield _client_traffic(policy, headers)

    return emit


def pods(policy: ir.Policy) -> GatewayPods:
    """The proxies do not stand where their Gateway does."""
    gateway = policy.gateway
    labels = {f"{OWNER}-name": gateway.name, f"{OWNER}-namespace": gateway.namespace}
    return GatewayPods(CONTROLLER_NAMESPACE, labels, "metrics")


def target(policy: ir.Policy) -> Body:
    """How a policy attachment names the Gateway."""
    return {"group": GATEWAY_GROUP, "kind": "Gateway", "name": policy.gateway.name}


def quantity(size: int) -> str:
    """Bytes as a Kubernetes quantity.

    >>> quantity(8 * 2**20)
    '8Mi'
    """
    for unit, suffix in _UNITS:
        if size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def _gateway(policy: ir.Policy, homes: list[str]) -> Object:
    gateway, listener = policy.gateway, policy.gateway.listener
    admitted: Body = {"from": "Same"}
    if homes != [gateway.namespace]:
        names = {"key": NAMESPACE_NAME, "operator": "In", "values": homes}
        admitted = {"from": "Selector", "selector": {"matchExpressions": [names]}}
    return make(
        GATEWAY_API,
        "Gateway",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "gatewayClassName": gateway.class_name,
            "infrastructure": {
                "parametersRef": {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": gateway.name},
            },
            "listeners": [
                {
                    "name": listener.name,
                    "port": listener.port,
                    "protocol": listener.protocol,
                    "allowedRoutes": {"namespaces": admitted},
                }
            ],
        },
    )


def _proxy(policy: ir.Policy) -> Object:
    gateway = policy.gateway
    return make(
        ENVOY_API,
        "EnvoyProxy",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            # More than this would write prompts down.
            "logging": {"level": {"default": "warn"}},
            "provider": {"type": "Kubernetes"},
            # A proxy that goes lets its answers end; they may stream as long as a request lasts.
            "shutdown": {"drainTimeout": gateway_duration(gateway.timeout)},
        },
    )


def _client_traffic(policy: ir.Policy, stripped: list[str]) -> Object:
    gateway = policy.gateway
    timeout = gateway_duration(gateway.timeout)
    return make(
        ENVOY_API,
        "ClientTrafficPolicy",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "targetRefs": [target(policy)],
            # The filter's whole body; the gateway's own 32 KiB would answer longer prompts with 413.
            "connection": {"bufferLimit": quantity(policy.router.max_body), "maxAcceptPerSocketEvent": 1},
            "headers": {"earlyRequestHeaders": {"remove": stripped}},
            # Its own 64 KiB would be the limit of clients that speak HTTP/2 (envoyproxy/ai-gateway#2130).
            "http2": {"initialStreamWindowSize": quantity(http2_window(policy))},
            # A model that thinks says nothing for long, so only the whole request is bounded.
            "timeout": {"http": {"requestReceivedTimeout": timeout, "streamIdleTimeout": timeout}},
        },
    )
