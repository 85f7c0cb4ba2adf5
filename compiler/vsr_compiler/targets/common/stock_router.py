"""The stock router's pods, and the same as values for its own chart: whoever has that chart changes a file."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.engines import STOCK_ROUTER, StockRouter
from vsr_compiler.routerconfig.config import CONFIG
from vsr_compiler.routerconfig.stock import key_variable, stock_config
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.router_models import claim_name
from vsr_compiler.targets.common.workloads import access_mode, container, container_port, resources, selector, spread

CHART = "semantic-router"
STORAGE = "10Gi"
REQUESTS, LIMITS = {"cpu": "1", "memory": "3Gi"}, {"memory": "7Gi"}
"""What its chart gives it, less the limit on the CPU, which would only make decisions late."""
CONTAINER: Body = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""The image runs as root, so it is of the baseline Pod Security level."""


def pod(policy: ir.Policy, config: str) -> Body:
    """The pod's spec. Its first start downloads models, for up to an hour."""
    router, release = policy.router, _release(policy)
    port = router.grpc.port
    process = container(
        "router",
        router.image or release.image,
        args=list(release.args),
        env=_environment(policy),
        ports=[container_port("grpc", port), container_port("http", router.http.port)],
        # It listens once its models are loaded; of its HTTP port, only itself can ask.
        startupProbe=_tcp_probe(10, 360),
        readinessProbe=_tcp_probe(5, 2),
        livenessProbe=_tcp_probe(10, 3),
        resources=resources(REQUESTS, LIMITS, router.resources),
        securityContext=CONTAINER,
        volumeMounts=[
            # One file, since beside it lie others of the image's own. Such a file is never exchanged: see annotations.
            {"name": "config", "mountPath": release.config, "subPath": CONFIG, "readOnly": True},
            {"name": "models", "mountPath": release.models},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - a volume of its own
        ],
    )
    name = router.grpc.name
    return {
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


def volume(policy: ir.Policy) -> Iterator[Object]:
    """The claim, unless there is one already."""
    router = policy.router
    if router.weights is None:
        spec = {
            "accessModes": [access_mode(router.volume_holders)],
            "resources": {"requests": {"storage": STORAGE}},
            "volumeMode": "Filesystem",
        }
        yield make(
            "v1", "PersistentVolumeClaim", claim_name(router), router.span, namespace=router.grpc.namespace, spec=spec
        )


def chart(policy: ir.Policy) -> Values:
    """Values for the chart: names as our objects call them, and the config as a whole, so that no default stays."""
    router, release = policy.router, _release(policy)
    repository, _, tag = (router.image or release.image).rpartition(":")
    access = access_mode(router.volume_holders)
    persistence: Body = {"enabled": True, "accessMode": access, "size": STORAGE, "storageClassName": ""}
    if router.weights is not None:
        persistence["existingClaim"] = router.weights
    body: Body = {
        "fullnameOverride": router.grpc.name,
        "nameOverride": router.grpc.name,
        "global": {"namespace": router.grpc.namespace},
        "replicaCount": router.replicas,
        "image": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"},
        "args": list(release.args),
        "configOverride": stock_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True),
        "extraEnv": _environment(policy),
        "persistence": persistence,
        # Its config is a file, so it has nothing to ask of the API server.
        "rbac": {"create": False},
        "resources": resources(REQUESTS, LIMITS, router.resources),
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
    return Values(CHART, body, router.span)


def by_helm(owned: list[Object]) -> Component:
    """An option for overlays: the router comes from its chart, so what stands for it here is taken out."""
    patches = [
        {
            "target": {"kind": each.kind, "name": each.name, "namespace": each.namespace},
            "patch": json.dumps(
                {
                    "$patch": "delete",
                    "apiVersion": each.body["apiVersion"],
                    "kind": each.kind,
                    "metadata": {"name": each.name, "namespace": each.namespace},
                }
            ),
        }
        for each in owned
    ]
    return Component("router-by-helm", (), tuple(patches))


def _release(policy: ir.Policy) -> StockRouter:
    return STOCK_ROUTER[policy.versions["semantic-router"]]


def _environment(policy: ir.Policy) -> list[Body]:
    """Providers' keys; and the token with which gated models are downloaded, if there is one."""
    token = {"name": policy.router.token_secret, "key": "token", "optional": True}
    return [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": token}}, *_keys(policy)]


def _keys(policy: ir.Policy) -> list[Body]:
    """A variable a provider, from its Secret. The config names the variable."""
    used = {model.provider.name: model.provider for model in policy.models if model.provider}
    return [
        {
            "name": key_variable(endpoint),
            "valueFrom": {
                "secretKeyRef": {"name": endpoint.provider.secret[0], "key": endpoint.provider.secret[1]},
            },
        }
        for _, endpoint in sorted(used.items())
        if endpoint.provider and endpoint.provider.secret
    ]


def _tcp_probe(period: int, failures: int) -> Body:
    return {
        "tcpSocket": {"port": "grpc"},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }
