"""What authentication needs on Envoy Gateway: a route that every request matches on its arrival, and a place for us.

Envoy Gateway enables filters such as extAuth, basicAuth and apiKeyAuth by route, and Envoy looks for that route once,
when a request arrives. Routes to models match a header that the router has not set by then. So there is a route without
conditions, to which what is attached to the Gateway applies. It leads to no model: the gateway answers with 404.

The request buffer brings a filter that Envoy Gateway sorts behind all authentication and before authorization and
limits by route. The patch inserts the router's filters before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, NO_MODEL_BODY, NO_MODEL_STATUS, parents
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API, target
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP
from vsr_compiler.targets.envoy_gateway.rate_limits import rate_limit
from vsr_schemas.quantities import quantity


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the route without conditions, and the filter by which the gateway answers."""
    gateway = policy.gateway
    name = f"{gateway.name}-no-model"
    reply: Body = {
        "statusCode": NO_MODEL_STATUS,
        "contentType": "application/json",
        "body": {"type": "Inline", "inline": NO_MODEL_BODY},
    }
    yield make(
        ENVOY_API,
        "HTTPRouteFilter",
        name,
        gateway.span,
        namespace=gateway.namespace,
        spec={"directResponse": reply},
    )
    reference = {"group": ENVOY_GROUP, "kind": "HTTPRouteFilter", "name": name}
    rule: Body = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "ExtensionRef", "extensionRef": reference}],
    }
    yield make(
        GATEWAY_API,
        "HTTPRoute",
        name,
        gateway.span,
        namespace=gateway.namespace,
        wave=Wave.FILTER,  # it brings the filter that the patch needs
        spec={"parentRefs": parents(policy), "rules": [rule]},
    )


def request_buffer(policy: ir.Policy) -> Iterator[Object]:
    """Yield the BackendTrafficPolicy of the Gateway. It buffers what the router's filter has buffered already.

    Limits that the gateway counts are in it, too.
    """
    yield make(
        ENVOY_API,
        "BackendTrafficPolicy",
        policy.gateway.name,
        policy.gateway.span,
        namespace=policy.gateway.namespace,
        spec={"targetRefs": [target(policy)], "requestBuffer": {"limit": quantity(policy.router.max_body)}}
        | rate_limit(policy),
    )
