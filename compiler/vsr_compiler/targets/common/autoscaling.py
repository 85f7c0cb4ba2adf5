"""Components that scale pods: `autoscaling` by HorizontalPodAutoscalers, `autoscaling-keda` by KEDA.

`autoscaling-rollout` and `autoscaling-keda-rollout` are the same for environments that roll out their router in steps.

Router replicas follow CPU use, or on GPUs the queue of the inference engine. Model servers follow their queue, if the
policy sets bounds for them. A HorizontalPodAutoscaler reads queues from an adapter for custom metrics, KEDA from
Prometheus itself, and scales the router by whichever of CPU and queue asks for more pods. An overlay includes one of
the components.
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
from vsr_compiler.targets.common.scale_target import DEPLOYMENT, Owner, scale_target, without_replicas

MAX_FACTOR = 4
"""The maximum number of replicas, as a multiple of the policy's."""
UTILISATION = 70
"""Percent of the requested CPU. On a CPU, classification is CPU-bound, so replicas follow CPU use."""
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": UTILISATION}},
}
WAITING = "vsr_engine_waiting_tokens"
"""On a GPU, the queue shows the load. A HorizontalPodAutoscaler needs an adapter for custom metrics."""
TOKENS = {True: 4096, False: 512}
"""Tokens that count as one waiting request, on a GPU or not. With the default of `queue`, a pod of a GPU has one full
batch waiting."""
DEFAULT_QUEUE = 4


def component(policy: ir.Policy) -> Component | None:
    """Return the HorizontalPodAutoscalers, and patches that remove `replicas`, which each sync would reset.

    None if every environment rolls out its router in steps.
    """
    return _component(policy, "autoscaling", DEPLOYMENT)


def stepwise(policy: ir.Policy) -> Component | None:
    """Return the same for environments whose router is a Rollout; None if there are none."""
    return _component(policy, "autoscaling-rollout", (rollout.API, "Rollout"))


def _component(policy: ir.Policy, name: str, owner: Owner) -> Component | None:
    if owner[1] not in rollout.kinds_in(policy):
        return None
    router = policy.router
    bounds = router.autoscaling
    least = (bounds.min if bounds is not None else None) or router.replicas
    most = router.replicas * MAX_FACTOR if bounds is None else bounds.max
    metric = _queue(policy) if policy.on_gpu else CPU
    objects = [_scaler(router.grpc, router.span, least, most, metric, bounds, owner)]
    patches = [without_replicas(router.grpc, owner)]
    for endpoint, server, own in scaled(policy):
        # The custom metrics API has no names with a colon. An adapter must have a rule for it.
        adapted = _waiting(policy).replace(":", "_")
        metric = {
            "type": "Pods",
            "pods": {"metric": {"name": adapted}, "target": {"type": "AverageValue", "averageValue": str(own.queue)}},
        }
        objects.append(_scaler(endpoint.service, own.span, own.min or server.replicas, own.max, metric, own))
        patches.append(without_replicas(endpoint.service))
    fits = owner == rollout.workload_kind(router)
    return Component(name, tuple(objects), tuple(patches), for_base=fits)


def _waiting(policy: ir.Policy) -> str:
    """Return vLLM's gauge of waiting requests."""
    return VLLM[policy.versions["vllm"]].waiting_metric


def keda(policy: ir.Policy) -> Component | None:
    """Return the ScaledObjects of what the policy scales by Prometheus; None if there is nothing.

    None as well if KEDA scales the router and every environment rolls it out in steps.
    """
    return _keda(policy, "autoscaling-keda", DEPLOYMENT)


def keda_stepwise(policy: ir.Policy) -> Component | None:
    """Return the same for environments whose router is a Rollout that KEDA scales; None if there are none."""
    own = policy.router.autoscaling
    if own is None or own.prometheus is None:
        return None
    return _keda(policy, "autoscaling-keda-rollout", (rollout.API, "Rollout"))


def _keda(policy: ir.Policy, name: str, owner: Owner) -> Component | None:
    objects, patches, fits = [], [], True
    router = policy.router
    if router.autoscaling is not None and router.autoscaling.prometheus is not None:
        if owner[1] not in rollout.kinds_in(policy):
            return None
        triggers = list(_router_triggers(policy, router.autoscaling.prometheus))
        objects.append(_scaled_object(router.grpc, router.autoscaling, router.replicas, triggers, owner))
        patches.append(without_replicas(router.grpc, owner))
        fits = owner == rollout.workload_kind(router)
    for endpoint, server, own in scaled(policy):
        if own.prometheus is not None:
            triggers = [keda_trigger(policy, endpoint, own, own.prometheus)]
            objects.append(_scaled_object(endpoint.service, own, server.replicas, triggers))
            patches.append(without_replicas(endpoint.service))
    return Component(name, tuple(objects), tuple(patches), for_base=fits) if objects else None


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


def behaviour(own: ir.Autoscaling | None) -> Body:
    """Return how long the least need for pods must last before some are removed; empty for Kubernetes' five minutes."""
    if own is None or own.scale_down_after is None:
        return {}
    return {"behavior": {"scaleDown": {"stabilizationWindowSeconds": own.scale_down_after}}}


def keda_behaviour(own: ir.Autoscaling) -> Body:
    """Return the same for a ScaledObject."""
    return {"advanced": {"horizontalPodAutoscalerConfig": body}} if (body := behaviour(own)) else {}


def has_queue(policy: ir.Policy) -> bool:
    """Return whether the router has an engine with a queue: with checkpoints, or heads for tasks of their own."""
    return not isinstance(policy.router.implementation, ir.SemanticRouter) and any(
        used.checkpoint is not None or (used.server is None and used.task != "category")
        for used in policy.used_classifiers
    )


def _threshold(policy: ir.Policy) -> str:
    own = policy.router.autoscaling
    return str((DEFAULT_QUEUE if own is None else own.queue) * TOKENS[policy.on_gpu])


def _queue(policy: ir.Policy) -> Body:
    target = {"type": "AverageValue", "averageValue": _threshold(policy)}
    return {"type": "Pods", "pods": {"metric": {"name": WAITING}, "target": target}}


def _router_triggers(policy: ir.Policy, prometheus: str) -> Iterator[Body]:
    """Yield KEDA's triggers for the router: its queue if it has one, and CPU unless a GPU computes."""
    if not policy.on_gpu:
        yield {"type": "cpu", "metricType": "Utilization", "metadata": {"value": str(UTILISATION)}}
    if has_queue(policy):
        http = policy.router.http
        where = f"namespace={json.dumps(http.namespace)},service={json.dumps(http.name)}"
        query = f"sum({WAITING}{{{where}}})"
        metadata = {"serverAddress": prometheus, "query": query, "threshold": _threshold(policy)}
        yield {"type": "prometheus", "metadata": metadata}


def _scaled_object(
    service: ir.ServiceRef, own: ir.Autoscaling, replicas: int, triggers: list[Body], owner: Owner = DEPLOYMENT
) -> Object:
    return make(
        f"{KEDA_GROUP}/v1alpha1",
        "ScaledObject",
        service.name,
        own.span,
        namespace=service.namespace,
        spec={
            "scaleTargetRef": scale_target(service, owner),
            "minReplicaCount": own.min or replicas,
            "maxReplicaCount": own.max,
            "triggers": triggers,
        }
        | keda_behaviour(own),
    )


def _scaler(
    service: ir.ServiceRef,
    origin: ir.Span,
    least: int,
    most: int,
    metric: Body,
    own: ir.Autoscaling | None,
    owner: Owner = DEPLOYMENT,
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
            "scaleTargetRef": scale_target(service, owner),
        }
        | behaviour(own),
    )
