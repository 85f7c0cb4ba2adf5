"""How agentgateway asks the router: a policy of the phase before routing, on each listener that leads to models.

The phase has a fixed order: cors, authentication, authorization, the router, transformation. The route is chosen behind
it. On a listener, a field of the policy that targets the listener itself comes before one of the whole Gateway, so
nobody who may only attach to the Gateway displaces the router. Rules of `authorization` add up.

Nothing removes a client's header before the router. Requests with a header that chooses a model, a pod or an identity
are refused, and the router overwrites or removes all of them. What proves its decision is metadata of its answer, from
which the mark is set that routes demand; a second policy demands the same of each route.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP, Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.agentgateway import identity
from vsr_compiler.targets.agentgateway.gateway import target
from vsr_compiler.targets.agentgateway.kinds import API, GROUP, POLICY
from vsr_compiler.targets.common.extproc import follows_responses
from vsr_compiler.targets.common.gateway_api import gateway_duration
from vsr_compiler.targets.common.identity import own_headers
from vsr_schemas.headers import DECIDED, DECIDED_KEY, DECIDED_VALUE, ROUTING
from vsr_schemas.identity import HEADERS
from vsr_schemas.runtime import UPLOAD_SECONDS

CONNECT_TIMEOUT = "500ms"
ADDRESS = "source.address"
"""The attribute with the client's address, and the expression for it."""
_OF_PROXIES = frozenset({"x-forwarded-path", "x-original-path"})
"""Proxies in front set them for every request, so they are only removed. They count if there is no path at all."""
_SECOND = 1000


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the policy of the listeners, what it refers to, and the policy of the connection to the router."""
    gateway = policy.gateway
    yield from asking(policy, [target(gateway) | {"sectionName": section.name} for section in gateway.model_sections])


def asking(policy: ir.Policy, targets: list[Body], also: tuple[str, ...] = ()) -> Iterator[Object]:
    """Yield the same for a Gateway or some of its listeners, which also refuse these headers of clients."""
    gateway, router = policy.gateway, policy.router
    name = f"{gateway.name}-{router.grpc.name}"
    headers = dict.fromkeys((*forbidden(policy), *also))
    yield make(
        API,
        POLICY,
        name,
        router.span,
        namespace=gateway.namespace,
        spec={
            "targetRefs": targets,
            "traffic": {"phase": "PreRouting"}
            | identity.cors(gateway.cors)
            | identity.authentication(policy)
            | {
                "authorization": require([f"!({json.dumps(header)} in request.headers)" for header in headers]),
                "extProc": _processor(policy),
                # If the expression fails, the header is removed.
                "transformation": {"request": {"set": [{"name": DECIDED, "value": f"extproc.{DECIDED_KEY}"}]}},
            },
        },
    )
    yield _connection(policy)
    if router.grpc.namespace != gateway.namespace:
        yield _grant(policy, name)


def decided(policy: ir.Policy) -> Iterator[Object]:
    """Yield a policy for each route to a model: without the router's word it answers 403."""
    for model in policy.models:
        reference = {"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": model.object_name}
        expression = f"extproc.{DECIDED_KEY} == {json.dumps(DECIDED_VALUE)}"
        yield make(
            API,
            POLICY,
            f"{model.object_name}-decided",
            model.span,
            namespace=policy.gateway.namespace,
            wave=Wave.ROUTE,  # it is attached when the route exists
            spec={"targetRefs": [reference], "traffic": {"authorization": require([expression])}},
        )


def require(expressions: list[str]) -> Body:
    """Return rules that all have to be true. An expression that fails is false."""
    return {"action": "Require", "policy": {"matchExpressions": expressions}}


def forbidden(policy: ir.Policy) -> list[str]:
    """Return the headers with which a request is refused: those that choose a model, a pod, a queue or an identity."""
    names = [*(name for name in ROUTING if name not in _OF_PROXIES), DECIDED, *HEADERS.values(), *own_headers(policy)]
    return list(dict.fromkeys(names))


def _processor(policy: ir.Policy) -> Body:
    """Return the field `extProc`. The router holds the answer to the headers back until it has read the body."""
    router = policy.router.grpc
    responses = follows_responses(policy)
    return {
        "backendRef": {
            "group": "",
            "kind": "Service",
            "name": router.name,
            "namespace": router.namespace,
            "port": router.port,
        },
        "failureMode": "FailClosed",
        "processingOptions": {
            "allowModeOverride": False,
            "requestBodyMode": "FullDuplexStreamed",
            "requestHeaderMode": "Send",
            "requestTrailerMode": "Send",
            "responseBodyMode": "FullDuplexStreamed" if responses else "None",
            "responseHeaderMode": "Send" if responses else "Skip",
            "responseTrailerMode": "Send",
        },
        "requestAttributes": {ADDRESS: ADDRESS} | identity.attributes(policy),
    }


def _connection(policy: ir.Policy) -> Object:
    """Return the policy of the router's Service.

    The time of a request ends with the headers of the router's answer. The router sends them with its first message,
    which is its decision, so this bounds how long it may take, with the upload of the body.
    """
    router = policy.router
    decision = UPLOAD_SECONDS + -(-router.deadline // _SECOND)
    return make(
        API,
        POLICY,
        router.grpc.name,
        router.span,
        namespace=router.grpc.namespace,
        spec={
            "targetRefs": [{"group": "", "kind": "Service", "name": router.grpc.name}],
            "backend": {
                "http": {"requestTimeout": gateway_duration(decision * _SECOND), "version": "HTTP2"},
                "tcp": {"connectTimeout": CONNECT_TIMEOUT},
            },
        },
    )


def _grant(policy: ir.Policy, name: str) -> Object:
    """Return the grant for the reference to the router, which a setting of the control plane makes necessary."""
    router = policy.router
    return make(
        f"{GATEWAY_GROUP}/v1beta1",
        "ReferenceGrant",
        name,
        router.span,
        namespace=router.grpc.namespace,
        spec={
            "from": [{"group": GROUP, "kind": POLICY, "namespace": policy.gateway.namespace}],
            "to": [{"group": "", "kind": "Service", "name": router.grpc.name}],
        },
    )
