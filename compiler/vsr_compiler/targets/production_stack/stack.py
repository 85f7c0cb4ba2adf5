"""vLLM's production stack: its chart runs the model servers, and the gateway sends all requests for them to its router.

The router finds the servers by itself and chooses by the model in the body, so the gateway knows one Service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.servers import VLLM
from vsr_compiler.releases.stacks import PRODUCTION_STACK
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.model_servers import served
from vsr_compiler.targets.common.pods import access_mode

CHART = RELEASE = "vllm-stack"
"""The chart, and the name under which Helm installs it: its objects are called after both."""
ROUTER_PORT = 80
MAX_NAME = 63 - len(f"{RELEASE}--engine-service")
"""What its chart makes of a server's name is a Service's name as well."""
Result = TypeVar("Result")


def members(policy: ir.Policy) -> list[ir.Endpoint]:
    """The endpoints that the stack runs. A stand-in for one is not among them: its chart can start vLLM only."""
    return [each for each in policy.endpoints if each.server is not None and not each.server.simulate]


def _service(found: list[ir.Endpoint]) -> ir.ServiceRef:
    """The chart's router, which stands where the first of the servers does."""
    return ir.ServiceRef(f"{RELEASE}-router-service", found[0].service.namespace, ROUTER_PORT)


def behind(policy: ir.Policy) -> ir.Policy:
    """The policy as the gateway sees it: one Service, whichever of the stack's servers a model runs on."""
    found = members(policy)
    if not found:
        return policy
    stack = ir.Endpoint(RELEASE, _service(found), ir.ExistingService(), found[0].span)
    names = {each.name for each in found}
    models = {id(model): replace(model, endpoints=_ways(model, names, stack)) for model in policy.models}
    moved: ir.Policy = ir.substitute(policy, models)
    others = [each for each in policy.endpoints if each.name not in names]
    return replace(moved, endpoints=tuple(sorted([*others, stack], key=lambda each: each.name)))


def seen(part: Callable[[ir.Policy], Result]) -> Callable[[ir.Policy], Result]:
    """A feature of another target, for the policy as the gateway sees it."""
    return lambda policy: part(behind(policy))


def chart(policy: ir.Policy) -> Values | None:
    """Values for the stack's chart; None where nothing runs in it."""
    found = members(policy)
    if not found:
        return None
    release = PRODUCTION_STACK[policy.versions["production-stack"]]
    repository, _, tag = release.router.rpartition(":")
    names = {"environment": policy.name, "release": RELEASE}
    body: Body = {
        "servingEngineSpec": {
            "enableEngine": True,
            # Its router takes every pod with these labels for a server, whoever started it.
            "labels": {**names, "component": "engine"},
            "runtimeClassName": "",
            "imagePullPolicy": "IfNotPresent",
            "containerPort": vllm.PORT,
            "servicePort": ROUTER_PORT,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containerSecurityContext": {"runAsNonRoot": False, **vllm.CONTAINER},
            # A node's last GPU cannot be held twice.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            # The first start downloads the weights.
            "startupProbe": {
                "initialDelaySeconds": 15,
                "periodSeconds": 10,
                "failureThreshold": 360,
                "httpGet": {"path": "/health", "port": vllm.PORT},
            },
            "modelSpec": [_model(policy, endpoint, endpoint.server) for endpoint in found if endpoint.server],
        },
        "routerSpec": {
            "enableRouter": True,
            "repository": repository,
            "tag": tag,
            "imagePullPolicy": "IfNotPresent",
            "replicaCount": 2,
            "labels": {**names, "component": "router"},
            "serviceType": "ClusterIP",
            "servicePort": ROUTER_PORT,
            "serviceDiscovery": "k8s",
            "routingLogic": "roundrobin",
            "resources": {"requests": {"cpu": "1", "memory": "2G"}, "limits": {"memory": "2G"}},
        },
    }
    return Values(CHART, body, found[0].span, (_service(found),))


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311, VSR312 and VSR315: what the stack ignores, what it cannot do, and how it is installed."""
    found = members(policy)
    for endpoint in found:
        if endpoint.pool is not None:
            message = f"the pool of `{endpoint.name}` is ignored by the target production-stack, whose router balances"
            yield Diagnostic("VSR311", message, endpoint.pool.span, "Use the target ai-gateway for it to be pooled.")
    for endpoint in found:
        if endpoint.service.namespace != found[0].service.namespace:
            first = f"`{found[0].name}` in {found[0].service.namespace}"
            message = (
                f"`{endpoint.name}` is in {endpoint.service.namespace} and {first}, and a stack is in one namespace"
            )
            yield Diagnostic("VSR312", message, endpoint.span, "Give them one `namespace`.")
        if len(endpoint.object_name) > MAX_NAME:
            message = (
                f"`{endpoint.object_name}` is longer than the {MAX_NAME} characters that the stack's chart has room for"
            )
            yield Diagnostic("VSR312", message, endpoint.span, "Give the endpoint a shorter name.")
    for model in policy.models:
        inside = [(each, weight) for each, weight in model.endpoints if each in found]
        shares = {Fraction(weight, each.server.volume_holders) for each, weight in inside if each.server}
        if len(shares) > 1 and model.base is None:
            message = (
                f"the stack's router gives every replica of `{model.name}` the same, whatever its endpoint's weight"
            )
            hint = "Weigh the endpoints as they have replicas, or divide between two models by a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    if found:
        where = found[0].service.namespace
        message = (
            f"the model servers come from the chart {CHART} {policy.versions['production-stack']}, installed by Helm"
        )
        hint = f"`helm install {RELEASE} vllm/{CHART} -n {where} -f helm/values-{CHART}.yaml`, before the first apply."
        yield Diagnostic("VSR315", message, found[0].span, hint)


def _ways(model: ir.Model, names: set[str], stack: ir.Endpoint) -> tuple[tuple[ir.Endpoint, int], ...]:
    """The model's endpoints, those in the stack as one."""
    outside = [(each, weight) for each, weight in model.endpoints if each.name not in names]
    inside = [weight for each, weight in model.endpoints if each.name in names]
    both = [*outside, (stack, sum(inside))] if inside else outside
    return tuple(sorted(both, key=lambda pair: pair[0].name))


def _model(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer) -> Body:
    """A server of the stack, started as the other targets start it."""
    repository, _, tag = (server.image or VLLM[policy.versions["vllm"]].image).rpartition(":")
    volume = f"{RELEASE}-storage"
    adapters = vllm.adapter_folders(server)
    return {
        "name": endpoint.object_name,
        "repository": repository,
        "tag": tag,
        "modelURL": server.checkpoint,
        "replicaCount": server.replicas,
        "resources": vllm.server_resources(server),
        "pvcStorage": server.storage,
        "pvcAccessMode": [access_mode(server.volume_holders)],
        "hf_token": {"secretName": server.token_secret, "secretKey": "token"},
        "vllmConfig": {
            # Off unless it is asked for: the chart would switch off what vLLM does by itself.
            "enablePrefixCaching": True,
            "extraArgs": [
                "--served-model-name",
                *served(policy, endpoint).names,
                *vllm.parallel(server),
                *vllm.adapters(server),
                *server.args,
            ],
        },
        "extraVolumes": [vllm.shared_memory(server.gpus)],
        "extraVolumeMounts": [
            *({"name": volume, "mountPath": f"/{top}", "subPath": top} for top in adapters),
            {"name": "shm", "mountPath": vllm.SHARED_MEMORY},
        ],
    }
