"""One HTTPRoute per model, chosen by the header that the router writes.

There is no catch-all on purpose: a request that the router did not send anywhere gets 404 and reaches no model.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.features.gateway_istio import GATEWAY_API, LISTENER
from compiler.features.objects import Body, Object, make
from compiler.link import ir
from schemas.headers import SELECTED_MODEL


def emit(policy: ir.Policy) -> Iterator[Object]:
    """The routes, and the grants that let them cross namespaces."""
    for model in policy.models:
        yield _route(policy, model)
    yield from _grants(policy)


def gateway_duration(milliseconds: int) -> str:
    """A Gateway API duration (GEP-2257): whole units only."""
    seconds, rest = divmod(milliseconds, 1000)
    return "".join(part for part in (f"{seconds}s" if seconds else "", f"{rest}ms" if rest else "") if part)


def _route(policy: ir.Policy, model: ir.Model) -> Object:
    timeout = gateway_duration(policy.gateway.timeout)
    rule: Body = {
        "matches": [
            {
                "path": {"type": "PathPrefix", "value": "/"},
                "headers": [{"type": "Exact", "name": SELECTED_MODEL, "value": model.name}],
            }
        ],
        "backendRefs": [_backend(endpoint.service, weight) for endpoint, weight in model.endpoints],
        "timeouts": {"request": timeout, "backendRequest": timeout},
    }
    gateway = policy.gateway
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace,
        "sectionName": LISTENER,
    }
    return make(
        GATEWAY_API,
        "HTTPRoute",
        model.object_name,
        model.span,
        namespace=gateway.namespace,
        spec={"parentRefs": [parent], "rules": [rule]},
    )


def _backend(service: ir.ServiceRef, weight: int) -> Body:
    return {
        "group": "",
        "kind": "Service",
        "name": service.name,
        "namespace": service.namespace,
        "port": service.port,
        "weight": weight,
    }


def _grants(policy: ir.Policy) -> Iterator[Object]:
    """A ReferenceGrant in each other namespace that a route points into, for exactly the Services it points at."""
    abroad: dict[str, dict[str, ir.Endpoint]] = {}
    for model in policy.models:
        for endpoint, _ in model.endpoints:
            if endpoint.service.namespace != policy.gateway.namespace:
                abroad.setdefault(endpoint.service.namespace, {})[endpoint.service.name] = endpoint
    for namespace, endpoints in sorted(abroad.items()):
        origin = min(endpoint.span for endpoint in endpoints.values())
        services = sorted(endpoints)
        for start in range(0, len(services), 16):  # the API's limit a grant
            part = services[start : start + 16]
            yield make(
                "gateway.networking.k8s.io/v1beta1",
                "ReferenceGrant",
                f"{policy.gateway.name}-routes" + (f"-{start // 16 + 1}" if start else ""),
                origin,
                namespace=namespace,
                spec={
                    "from": [
                        {
                            "group": "gateway.networking.k8s.io",
                            "kind": "HTTPRoute",
                            "namespace": policy.gateway.namespace,
                        }
                    ],
                    "to": [{"group": "", "kind": "Service", "name": name} for name in part],
                },
            )
