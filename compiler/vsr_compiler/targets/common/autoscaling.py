"""Components that scale pods: `autoscaling` by HorizontalPodAutoscalers, `autoscaling-keda` by KEDA.

`autoscaling-rollout` is the former for environments that roll out their router in steps.

Router replicas follow CPU use, or on GPUs the queue of the inference engine. Model servers follow their queue, if the
policy sets bounds for them. A HorizontalPodAutoscaler reads queues from an adapter for custom metrics, KEDA from
Prometheus itself. An overlay includes one of the two components.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import KEDA_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.targets.common import rollout
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.model_servers import served

DEPLOYMENT = "Deployment"
MAX_FACTOR = 4
"""The maximum number of replicas, as a multiple of the policy's."""
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}
"""On a CPU, classification is CPU-bound, so replicas follow CPU use."""
QUEUE = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "vsr_engine_waiting_tokens"},
        "target": {"type": "AverageValue", "averageValue": "16384"},
    },
}
"""On a GPU, the queue shows the load: one full batch per pod. Needs an adapter for custom metrics."""


def component(policy: ir.Policy) -> Component | None:
    """Return the HorizontalPodAutoscalers, and patches that remove `replicas`, which each sync would reset.

    None if every environment rolls out its router in steps.
    """
    return _component(policy, "autoscaling", "apps/v1", DEPLOYMENT)


def stepwise(policy: ir.Policy) -> Component | None:
    """Return the same for environments whose router is a Rollout; None if there are none."""
    return _component(policy, "autoscaling-rollout", rollout.API, "Rollout")


def _component(policy: ir.Policy, name: str, api: str, kind: str) -> Component | None:
    if kind not in rollout.kinds_in(policy):
        return None
    router = policy.router
    bounds = router.autoscaling
    least = (bounds.min if bounds is not None else None) or router.replicas
    most = router.replicas * MAX_FACTOR if bounds is None else bounds.max
    metric = QUEUE if policy.on_gpu else CPU
    objects = [_scaler(router.grpc, router.span, least, most, metric, (api, kind))]
    patches = [_drop(router.grpc, api, kind)]
    for endpoint, server, own in scaled(policy):
        # The custom metrics API has no names with a colon. An adapter must have a rule for it.
        adapted = _waiting(policy).replace(":", "_")
        metric = {
            "type": "Pods",
            "pods": {"metric": {"name": adapted}, "target": {"type": "AverageValue", "averageValue": str(own.queue)}},
        }
        objects.append(_scaler(endpoint.service, own.span, own.min or server.replicas, own.max, metric))
        patches.append(_drop(endpoint.service))
    return Component(name, tuple(objects), tuple(patches), for_base=kind == rollout.workload_kind(router)[1])


def _waiting(policy: ir.Policy) -> str:
    """Return vLLM's gauge of waiting requests."""
    return VLLM[policy.versions["vllm"]].waiting_metric


def keda(policy: ir.Policy) -> Component | None:
    """Return the ScaledObjects of servers for which the policy names Prometheus; None if there are none."""
    objects, patches = [], []
    for endpoint, server, own in scaled(policy):
        if own.prometheus is not None:
            objects.append(_scaled_object(policy, endpoint, server, own, own.prometheus))
            patches.append(_drop(endpoint.service))
    return Component("autoscaling-keda", tuple(objects), tuple(patches)) if objects else None


def scaled(policy: ir.Policy) -> Iterator[tuple[ir.Endpoint, ir.VllmServer, ir.Autoscaling]]:
    """Yield the endpoints whose servers are scaled. Of a disaggregated pool, each role would need bounds of its own."""
    for endpoint in policy.endpoints:
        server = endpoint.server
        if server is None or server.autoscaling is None or (endpoint.pool and endpoint.pool.disaggregation):
            continue
        yield endpoint, server, server.autoscaling


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311 for bounds of a disaggregated pool."""
    for endpoint in policy.endpoints:
        server = endpoint.server
        if server is not None and server.autoscaling is not None and endpoint.pool and endpoint.pool.disaggregation:
            message = f"`autoscaling` of `{endpoint.name}` is ignored: its pool has pods for prefill and for decode"
            hint = "Remove it, or `pool.disaggregation`."
            yield Diagnostic("VSR311", message, server.autoscaling.span, hint)


def keda_trigger(policy: ir.Policy, endpoint: ir.Endpoint, own: ir.Autoscaling, prometheus: str) -> Body:
    """Return KEDA's trigger: the queue of the models that a server has, per pod."""
    name = json.dumps(served(policy, endpoint).names[0])
    query = f"sum({_waiting(policy)}{{model_name={name}}})"
    metadata = {"serverAddress": prometheus, "query": query, "threshold": str(own.queue)}
    return {"type": "prometheus", "metadata": metadata}


def _scaled_object(
    policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer, own: ir.Autoscaling, prometheus: str
) -> Object:
    service = endpoint.service
    return make(
        f"{KEDA_GROUP}/v1alpha1",
        "ScaledObject",
        service.name,
        own.span,
        namespace=service.namespace,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name},
            "minReplicaCount": own.min or server.replicas,
            "maxReplicaCount": own.max,
            "triggers": [keda_trigger(policy, endpoint, own, prometheus)],
        },
    )


def _scaler(
    service: ir.ServiceRef,
    origin: ir.Span,
    least: int,
    most: int,
    metric: Body,
    owner: tuple[str, str] = ("apps/v1", DEPLOYMENT),
) -> Object:
    return make(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        service.name,
        origin,
        namespace=service.namespace,
        spec={
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [metric],
            "scaleTargetRef": {"apiVersion": owner[0], "kind": owner[1], "name": service.name},
        },
    )


def _drop(service: ir.ServiceRef, api: str = "apps/v1", kind: str = DEPLOYMENT) -> Body:
    group, _, version = api.partition("/")
    target = {
        "group": group,
        "version": version,
        "kind": kind,
        "name": service.name,
        "namespace": service.namespace,
    }
    return {"target": target, "patch": json.dumps([{"op": "remove", "path": "/spec/replicas"}])}
