"""The stock router's pod, and equivalent values for its own Helm chart."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.semantic_router import STOCK_ROUTER, StockRouter
from vsr_compiler.routerconfig import CONFIG
from vsr_compiler.routerconfig.semantic_router import key_variable, stock_body
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.placement import mounts, place, scheduling, variables, volumes, without
from vsr_compiler.targets.common.router_models import claim_name
from vsr_compiler.targets.common.workloads import (
    access_mode,
    container,
    container_port,
    resources,
    selector,
    spread,
    storage_class,
)

CHART = "semantic-router"
STORAGE = "10Gi"
REQUESTS, LIMITS = {"cpu": "1", "memory": "3Gi"}, {"memory": "7Gi"}
"""The defaults of its chart, without the CPU limit, which would only delay decisions."""
CONTAINER: Body = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""The image runs as root, so the Pod Security level is baseline."""


def pod(policy: ir.Policy, config: str) -> Body:
    """Return the pod spec. The first start downloads models, which takes up to an hour."""
    router, release = policy.router, _release(policy)
    port = router.grpc.port
    process = container(
        "router",
        router.image or release.image,
        args=list(release.args),
        env=environment(policy),
        ports=[container_port("grpc", port), container_port("http", router.http.port)],
        # It listens when its models are loaded. Its HTTP port accepts local connections only.
        startupProbe=_tcp_probe(10, 360),
        readinessProbe=_tcp_probe(5, 2),
        livenessProbe=_tcp_probe(10, 3),
        resources=resources(REQUESTS, LIMITS, router.resources),
        securityContext=CONTAINER,
        volumeMounts=[
            # One file, since the folder has other files of the image. Such a mount is never updated.
            {"name": "config", "mountPath": release.config, "subPath": CONFIG, "readOnly": True},
            {"name": "models", "mountPath": release.models},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - a volume of its own
        ],
    )
    name = router.grpc.name
    body: Body = {
        "automountServiceAccountToken": False,
        "containers": [process],
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccount": name,
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": spread(selector(name)),
        "volumes": [
            {"name": "config", "configMap": {"name": config, "defaultMode": 0o444}},
            {"name": "models", "persistentVolumeClaim": {"claimName": claim_name(policy.router)}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    return place(body, router.placement, selector(name))


def volume(policy: ir.Policy) -> Iterator[Object]:
    """Yield the claim for the models, unless the policy names one."""
    router = policy.router
    if router.weights is None:
        spec = {
            "accessModes": [access_mode(router.volume_holders)],
            "resources": {"requests": {"storage": STORAGE}},
            "volumeMode": "Filesystem",
        } | storage_class(router.placement)
        yield make(
            "v1", "PersistentVolumeClaim", claim_name(router), router.span, namespace=router.grpc.namespace, spec=spec
        )


def chart(policy: ir.Policy) -> Values | None:
    """Return the chart's values: the names of our objects, and the whole config, so that no default remains.

    None for a release whose chart would merge the config with models and decisions of its own.

    The chart's `values.yaml` is 41 documents. Helm 4 merges all of them, Helm 3 reads the first one, so its defaults
    are two sets: variables, volumes of the node and a limit of CPU, none of which belongs to this router.
    """
    router, release = policy.router, _release(policy)
    if not release.chart_takes_config:
        return None
    repository, _, tag = (router.image or release.image).rpartition(":")
    access = access_mode(router.volume_holders)
    placed = router.placement
    storage = placed.storage_class or ""
    needs = resources(REQUESTS, LIMITS, router.resources)
    persistence: Body = {"enabled": True, "accessMode": access, "size": STORAGE, "storageClassName": storage}
    if router.weights is not None:
        persistence["existingClaim"] = router.weights
    body: Body = {
        "fullnameOverride": router.grpc.name,
        "nameOverride": router.grpc.name,
        "global": {"namespace": router.grpc.namespace},
        "replicaCount": router.replicas,
        "image": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"},
        "args": list(release.args),
        "configOverride": stock_body(policy),
        # Helm replaces lists and merges mappings, so lists are written out even if they are empty.
        "env": [*without(environment(policy), placed), *variables(placed)],
        "extraEnv": [],
        "extraVolumes": volumes(placed),
        "extraVolumeMounts": mounts(placed),
        "persistence": persistence,
        # Its config is a file, so it needs no access to the API server.
        "rbac": {"create": False},
        "resources": needs | {"limits": {"cpu": None} | needs["limits"]},
        "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {"runAsNonRoot": False, **CONTAINER},
        "service": {
            "type": "ClusterIP",
            "grpc": {"port": router.grpc.port, "targetPort": router.grpc.port, "protocol": "TCP"},
            "metrics": {
                "enabled": True,
                "port": router.http.port,
                "targetPort": router.http.port,
                "protocol": "TCP",
            },
        },
    }
    body |= scheduling(placed, selector(router.grpc.name))
    if placed.pull_secrets:
        body["imagePullSecrets"] = [{"name": name} for name in placed.pull_secrets]
    return Values(CHART, body, router.span)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311 for what its own chart has no value for."""
    if not isinstance(policy.router.implementation, ir.SemanticRouter):
        return
    if not _release(policy).chart_takes_config:
        version = policy.versions["semantic-router"]
        message = f"the chart {CHART} {version} merges the config with models and decisions of its own"
        hint = "There are no values for it. Apply the router of the base."
        yield Diagnostic("VSR311", message, policy.router.span, hint)
        return
    placed = policy.router.placement
    words = {
        "runtimeClass": placed.runtime_class,
        "priorityClass": placed.priority_class,
        "topologySpread": placed.spread,
    }
    lost = [f"`{name}`" for name, value in words.items() if value]
    if lost:
        message = f"the chart {CHART} has no value for {' and '.join(lost)} of the router"
        hint = "They apply to the router of the base, not to one that is installed by its chart."
        yield Diagnostic("VSR311", message, policy.router.span, hint)


def by_helm(objects: list[Object]) -> Component:
    """Return the component `router-by-helm`: it deletes the router's objects, so that the chart can create them."""
    patches = [
        {
            "target": {"kind": item.kind, "name": item.name, "namespace": item.namespace},
            "patch": json.dumps(
                {
                    "$patch": "delete",
                    "apiVersion": item.body["apiVersion"],
                    "kind": item.kind,
                    "metadata": {"name": item.name, "namespace": item.namespace},
                }
            ),
        }
        for item in objects
    ]
    return Component("router-by-helm", (), tuple(patches))


def chart_takes_config(policy: ir.Policy) -> bool:
    """Return whether the router can be installed by its own chart."""
    return _release(policy).chart_takes_config


def chart_has_headless(policy: ir.Policy) -> bool:
    """Return whether the chart creates the headless Service, so that the base must not."""
    return _release(policy).chart_has_headless


def _release(policy: ir.Policy) -> StockRouter:
    return STOCK_ROUTER[policy.versions["semantic-router"]]


def environment(policy: ir.Policy) -> list[Body]:
    """Return the environment variables: providers' API keys, and the optional token for gated models."""
    token = {"name": policy.router.token_secret, "key": "token", "optional": True}
    return [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": token}}, *_keys(policy)]


def _keys(policy: ir.Policy) -> list[Body]:
    """Return a variable per endpoint with a key, from its Secret. The config refers to the variable."""
    used = {endpoint.name: endpoint for model in policy.models for endpoint, _ in model.endpoints}
    return [
        {
            "name": key_variable(endpoint),
            "valueFrom": {
                "secretKeyRef": {"name": endpoint.api_key.secret, "key": endpoint.api_key.key},
            },
        }
        for _, endpoint in sorted(used.items())
        if endpoint.api_key is not None
    ]


def _tcp_probe(period: int, failures: int) -> Body:
    return {
        "tcpSocket": {"port": "grpc"},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }
