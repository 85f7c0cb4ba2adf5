"""Model servers that the policy deploys: Deployments, Services, volumes, budgets; and Services for existing pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common import disruption
from vsr_compiler.targets.common.simulator import simulator_pod
from vsr_compiler.targets.common.vllm import vllm_pod
from vsr_compiler.targets.common.workloads import (
    ROLLING,
    access_mode,
    deployment_spec,
    selector,
    service_port,
    service_spec,
    storage_class,
)


@dataclass(frozen=True, slots=True)
class ServedModels:
    """The models of an endpoint: the names for its server's flag, and the largest context in tokens, if known."""

    names: tuple[str, ...]
    context: int | None


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the objects of every endpoint whose pods the compiler writes."""
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            yield deployment(policy, endpoint, endpoint.server)
            yield from service_and_volume(endpoint, endpoint.server)
            yield from disruption.of_servers(endpoint, endpoint.server)


def existing_pods(policy: ir.Policy) -> Iterator[Object]:
    """Yield a Service for each endpoint that selects existing pods by labels."""
    for endpoint in policy.endpoints:
        if endpoint.pods is not None:
            service = endpoint.service
            port = service_port("http", service.port, endpoint.pods.port, "http")
            yield make(
                "v1",
                "Service",
                service.name,
                endpoint.span,
                namespace=service.namespace,
                labels=selector(service.name),
                spec=service_spec(dict(endpoint.pods.labels), [port]),
            )


def served(policy: ir.Policy, endpoint: ir.Endpoint) -> ServedModels:
    """Return the models of a server without adapters, whose names the server gets with their paths."""
    models = [model for model in policy.models if any(used.name == endpoint.name for used, _ in model.endpoints)]
    bases = [model for model in models if model.base is None]
    # A server responds with the first name. Clients of the server itself may use the model's own name.
    names = list(dict.fromkeys(name for model in bases for name in (model.served_name, model.name)))
    if policy.router.fails_open and any(used.name == endpoint.name for used, _ in policy.default.endpoints):
        names += policy.router.auto_models  # last, so that responses name the model itself
    return ServedModels(
        tuple(names), max((model.context for model in models if model.context is not None), default=None)
    )


def deployment(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer) -> Object:
    """Return the Deployment of an endpoint's pods."""
    name = endpoint.service.name
    models = served(policy, endpoint)
    if server.simulate:
        pod = simulator_pod(policy, endpoint, models.names, models.context)
    else:
        pod = vllm_pod(policy, endpoint, server, models.names)
    return make(
        "apps/v1",
        "Deployment",
        name,
        endpoint.span,
        namespace=endpoint.service.namespace,
        labels=selector(name),
        spec=deployment_spec(name, server.replicas, pod, strategy=rollout(server, server.replicas)),
    )


def rollout(server: ir.VllmServer, replicas: int) -> Body:
    """Return the update strategy. A GPU or a volume cannot be held twice, so an old pod stops first."""
    if server.simulate:
        return ROLLING
    if replicas == 1 and server.autoscaling is None:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def service_and_volume(endpoint: ir.Endpoint, server: ir.VllmServer) -> Iterator[Object]:
    """Yield the Service, and the volume with the weights."""
    name, namespace = endpoint.service.name, endpoint.service.namespace
    if not server.simulate and server.claim is None:
        spec = {
            "accessModes": [access_mode(server.most_pods)],
            "resources": {"requests": {"storage": server.storage}},
            "volumeMode": "Filesystem",
        } | storage_class(server.placement)
        yield make("v1", "PersistentVolumeClaim", name, endpoint.span, namespace=namespace, spec=spec)
    ports = [service_port("http", endpoint.service.port, "http", "http")]
    yield make(
        "v1",
        "Service",
        name,
        endpoint.span,
        namespace=namespace,
        labels=selector(name),
        spec=service_spec(selector(name), ports),
    )
