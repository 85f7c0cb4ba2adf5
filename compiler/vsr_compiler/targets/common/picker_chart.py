"""Pickers that their own chart installs: values for it, and the component that leaves them out of the base.

Source: llm-d/llm-d-router, config/charts/llm-d-router-gateway and config/charts/routerlib at v0.10.0. A Helm release is
one pool and its picker: the pool has the name of the release, and the picker that name with `-epp`, as ours have. Its
account has the name of ours, so that our ClusterRole for readers of metrics and our connections fit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.releases.pickers import LLM_D_ROUTER, PICKERS, picker_project
from vsr_compiler.targets.common import picker, picker_config
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.picker_config import CONFIG_FILE
from vsr_compiler.targets.common.placement import scheduling, variables
from vsr_compiler.targets.common.pools import Pooled, inference_pool, picker_service, pooled, settings

CHART, COMPONENT = "llm-d-router-gateway", "picker-by-helm"
CHARTS: Mapping[str, str] = MappingProxyType({"0.10.0": "config/charts/llm-d-router-gateway at v0.10.0"})
"""The releases of the router whose chart takes these values, with the source."""
MAX_NAME = 40
"""Characters of the name of a release. The chart cuts longer ones off, so that objects would not fit together."""
OWN_FLAGS = frozenset(
    {
        "config-file",
        "grpc-health-port",
        "grpc-port",
        "ha-enable-leader-election",
        "metrics-port",
        "pool-name",
        "pool-namespace",
        "tracing",
        "zap-encoder",
    }
)
"""Flags that the chart sets itself, with the same values or the defaults of the picker."""
_DELETED = frozenset({"ConfigMap", "Deployment", "InferencePool", "Role", "RoleBinding", "Service", "ServiceAccount"})
"""Kinds that the chart creates, and the Role of a picker that it would no longer need."""


def component(project: str, chosen: Pooled = pooled) -> Callable[[ir.Policy], Component | None]:
    """Return the builder of the component, for the pickers of a project.

    Args:
        project: The project whose release is looked up; see `picker_project`.
        chosen: Which endpoints get a picker.
    """

    def picker_by_helm(policy: ir.Policy) -> Component | None:
        """Return the component; None if no chart can install the pickers."""
        pools = _installable(policy, project, chosen)
        if not pools:
            return None
        objects = [*picker.emitter(project, lambda _: pools)(policy), *(inference_pool(policy, pool) for pool in pools)]
        deleted = sorted((item for item in objects if item.kind in _DELETED), key=lambda item: item.path)
        return Component(COMPONENT, (), tuple(_deletion(item) for item in deleted))

    return picker_by_helm


def charts(project: str, chosen: Pooled = pooled) -> Callable[[ir.Policy], tuple[Values, ...]]:
    """Return the builder of the values, one set for each pool.

    Args:
        project: The project whose release is looked up; see `picker_project`.
        chosen: Which endpoints get a picker.
    """

    def values(policy: ir.Policy) -> tuple[Values, ...]:
        """Return the values of each pool's release."""
        return tuple(_values(policy, pool) for pool in _installable(policy, project, chosen))

    return values


def _installable(policy: ir.Policy, project: str, chosen: Pooled) -> list[ir.Endpoint]:
    """Return the pools, if there is a chart and no name is too long for it."""
    own = picker_project(project, policy.versions)
    pools = chosen(policy)
    fits = all(len(pool.object_name) <= MAX_NAME for pool in pools)
    return pools if own == LLM_D_ROUTER and policy.versions[own] in CHARTS and fits else []


def _deletion(item: Object) -> Body:
    metadata = {"name": item.name, "namespace": item.namespace}
    patch = {"$patch": "delete", "apiVersion": item.body["apiVersion"], "kind": item.kind, "metadata": metadata}
    return {"target": {"kind": item.kind, **metadata}, "patch": json.dumps(patch)}


def _values(policy: ir.Policy, endpoint: ir.Endpoint) -> Values:
    """Return the values of a release: everything that our objects say, so that no default remains."""
    release = PICKERS[LLM_D_ROUTER][policy.versions[LLM_D_ROUTER]]
    pool, own = inference_pool(policy, endpoint).body["spec"], settings(endpoint).picker
    placed = own.placement
    if endpoint.picker_placement is not None:
        placed = placed.replaced_by(endpoint.picker_placement)
    registry, _, name = (own.image or release.image).rpartition("/")
    repository, _, tag = name.rpartition(":")
    flags = {flag: value for flag, value in picker.flags(policy, endpoint, release).items() if flag not in OWN_FLAGS}
    metrics_auth = flags.pop("metrics-endpoint-auth", "true") == "true"
    scheduled = scheduling(placed, {})
    epp: Body = {
        "affinity": scheduled.get("affinity", {}),
        "env": variables(placed),
        "extProcPort": picker_service(endpoint).port,
        "extraContainerPorts": [],
        "flags": flags,
        "image": {"pullPolicy": "IfNotPresent", "registry": registry, "repository": repository, "tag": tag},
        "parsers": [],
        "pluginsConfigFile": CONFIG_FILE,
        "pluginsCustomConfig": {CONFIG_FILE: dump(picker_config.config(endpoint, release))},
        "podAnnotations": {},
        "replicas": own.replicas,
        "resources": picker.needs(own),
        "tolerations": scheduled.get("tolerations", []),
    }
    body: Body = {
        "httpRoute": {"create": False},
        # The connection to the picker is ours.
        "provider": {"name": "none"},
        "router": {
            "epp": epp,
            "inferenceObjectives": [],
            "inferencePool": {"create": True, "failureMode": pool["endpointPickerRef"]["failureMode"]},
            "latencyPredictor": {"enabled": False},
            "modelServers": {
                "matchLabels": pool["selector"]["matchLabels"],
                "protocol": "http",
                "targetPorts": pool["targetPorts"],
                "type": "vllm",
            },
            "monitoring": {"prometheus": {"auth": {"enabled": metrics_auth}, "enabled": False}},
            "proxy": {"enabled": False},
            "tokenizer": {"enabled": False},
            "tracing": {"enabled": False},
        },
    }
    return Values(CHART, body, settings(endpoint).span, release=endpoint.object_name)
