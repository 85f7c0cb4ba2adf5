"""Endpoint pickers, which choose a pod of a pool for each request: Deployment, configuration and access rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.hashed_names import hashed_name
from vsr_compiler.manifests.kinds import RBAC_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.releases.gateways import INFERENCE_EXTENSION
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.releases.pickers import LEGACY, PICKERS, Picker, picker_project
from vsr_compiler.targets.common import picker_config
from vsr_compiler.targets.common.picker_config import CONFIG_FILE
from vsr_compiler.targets.common.placement import place
from vsr_compiler.targets.common.pools import (
    PICKER_SUFFIX,
    POOL_GROUP,
    POOL_PROJECT,
    Pooled,
    picker_service,
    pooled,
    settings,
)
from vsr_compiler.targets.common.workloads import (
    HARDENED,
    READY,
    ROLLING,
    UNPRIVILEGED,
    container,
    container_port,
    deployment_spec,
    field_env,
    grpc_probe,
    resources,
    selector,
    service_port,
    service_spec,
    spread,
)

CONFIG_PATH = "/config"
HEALTH_PORT, METRICS_PORT = 9003, 9090
_METRICS_AUTH: list[Body] = [
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]


def emitter(project: str, chosen: Pooled = pooled) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter of one project's pickers.

    Args:
        project: The project whose release is looked up; see `picker_project`.
        chosen: Which endpoints get a picker.
    """

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield the objects of each picker."""
        own = picker_project(project, policy.versions)
        release = PICKERS[own][policy.versions[own]]
        for endpoint in chosen(policy):
            yield from _picker(policy, endpoint, release)

    return emit


def checker(
    project: str, chosen: Pooled = pooled, *, disaggregates: str = ""
) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """Return the check of what the project's release does not support (VSR312, VSR314).

    Args:
        project: The project whose release is looked up; see `picker_project`.
        chosen: Which endpoints get a picker.
        disaggregates: Empty if the target emits model servers for disaggregation, otherwise its name.
    """

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """Check scorers, weights and disaggregation of each pool, and the CRDs that the picker reads."""
        own = picker_project(project, policy.versions)
        version = policy.versions[own]
        release = PICKERS[own][version]
        for endpoint in chosen(policy):
            if disaggregates and settings(endpoint).disaggregation and release.disaggregation is not None:
                message = f"the target {disaggregates} does not support disaggregation of prefill and decode"
                yield Diagnostic("VSR312", message, settings(endpoint).span, "Use the target llm-d.")
            else:
                yield from picker_config.check(endpoint, f"{own} {version}", release)
        pools = policy.versions[POOL_PROJECT]
        required = LEGACY in release.watches and LEGACY not in release.without
        if required and chosen(policy) and not INFERENCE_EXTENSION[pools].objectives:
            message = f"{own} {version} does not start with the CRDs of {POOL_PROJECT} {pools}: they lack {LEGACY}"
            yield Diagnostic("VSR314", message, policy.gateway.span, _fitting(own, pools))

    return check


def _fitting(project: str, pools: str) -> str:
    """Return which releases of a project run with a release of the CRDs."""
    fitting = [name for name, item in PICKERS[project].items() if LEGACY in item.without]
    return f"Use {project} {' or '.join(fitting)} with {POOL_PROJECT} {pools}."


def _picker(policy: ir.Policy, endpoint: ir.Endpoint, release: Picker) -> Iterator[Object]:
    service, origin = picker_service(endpoint), settings(endpoint).span
    name, namespace, replicas = service.name, service.namespace, settings(endpoint).picker.replicas
    config = dump(picker_config.config(endpoint, release))
    yield from _access(endpoint, release)
    # The picker reads its configuration only at startup, so another configuration is another object and a rollout.
    data: Body = {"data": {CONFIG_FILE: config}}
    config_map = hashed_name(name, data)
    yield make("v1", "ConfigMap", config_map, origin, namespace=namespace, immutable=True, **data)
    ports = [
        service_port("grpc", service.port, "grpc", "http2"),
        service_port("metrics", METRICS_PORT, "metrics", "http"),
    ]
    yield make(
        "v1",
        "Service",
        name,
        origin,
        namespace=namespace,
        labels=selector(name),
        spec=service_spec(selector(name), ports),
    )
    yield make(
        "apps/v1",
        "Deployment",
        name,
        origin,
        namespace=namespace,
        labels=selector(name),
        # Only the leader is ready. Without this, Argo CD would wait for the standbys forever.
        annotations={READY: "1"} if replicas > 1 else {},
        spec=deployment_spec(
            name,
            replicas,
            _pod(policy, endpoint, release, config_map),
            # A standby is ready only once the old leader has released its lease, so a rolling update would never end.
            strategy={"type": "Recreate"} if replicas > 1 else ROLLING,
        ),
    )


def _pod(policy: ir.Policy, endpoint: ir.Endpoint, release: Picker, config_map: str) -> Body:
    service = picker_service(endpoint)
    name = service.name
    process = container(
        "epp",
        settings(endpoint).picker.image or release.image,
        args=_args(policy, endpoint, release),
        env=[field_env("NAMESPACE", "metadata.namespace"), field_env("POD_NAME", "metadata.name")],
        ports=[
            container_port("grpc", service.port),
            container_port("grpc-health", HEALTH_PORT),
            container_port("metrics", METRICS_PORT),
        ],
        # It is live only after it has read the pool, which may be applied later.
        startupProbe=grpc_probe("liveness", HEALTH_PORT, 5, 60),
        readinessProbe=grpc_probe("readiness", HEALTH_PORT, 2, 3),
        livenessProbe=grpc_probe("liveness", HEALTH_PORT, 10, 3),
        resources=needs(settings(endpoint).picker),
        securityContext=HARDENED,
        volumeMounts=[
            {"name": "config", "mountPath": CONFIG_PATH, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the one folder that it may write to
        ],
    )
    pod: Body = {
        "containers": [process],
        "securityContext": UNPRIVILEGED,
        "serviceAccount": name,
        "serviceAccountName": name,
        # As long as that of the model servers. llm-d-router follows their streams to the end; the inference extension's
        # picker exits 30 s after SIGTERM, whatever is in flight.
        "terminationGracePeriodSeconds": 130,
        "topologySpreadConstraints": spread(selector(name)),
        "volumes": [
            {"name": "config", "configMap": {"name": config_map, "defaultMode": 0o444}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    placement = settings(endpoint).picker.placement
    if endpoint.picker_placement is not None:
        placement = placement.replaced_by(endpoint.picker_placement)
    return place(pod, placement, selector(name))


def needs(picker: ir.Picker) -> Body:
    """Return requests and limits of a picker."""
    return resources({"cpu": "500m", "memory": "512Mi"}, {"memory": "4Gi"}, picker.resources)


def _args(policy: ir.Policy, endpoint: ir.Endpoint, release: Picker) -> list[str]:
    """Return the flags as ``--flag=value``. Go would take the separate value of a boolean as a positional argument."""
    return [f"--{name}={value}" for name, value in sorted(flags(policy, endpoint, release).items())]


def flags(policy: ir.Policy, endpoint: ir.Endpoint, release: Picker) -> dict[str, str]:
    """Return the flags of a picker by name."""
    service = picker_service(endpoint)
    result = {
        "config-file": f"{CONFIG_PATH}/{CONFIG_FILE}",
        "grpc-health-port": str(HEALTH_PORT),
        "grpc-port": str(service.port),
        "metrics-port": str(METRICS_PORT),
        "pool-name": endpoint.object_name,
        "pool-namespace": endpoint.service.namespace,
        "secure-serving": "true",
        "v": "2",
        "zap-encoder": "json",
        **release.flags,
    }
    if release.message_flag:
        # The router's filter hands on a whole body at once.
        result[release.message_flag] = str(policy.router.max_message)
    if release.kv_metric_flag:
        result["kv-cache-usage-percentage-metric"] = VLLM[policy.versions["vllm"]].kv_metric
    if settings(endpoint).picker.replicas > 1:
        result["ha-enable-leader-election"] = "true"
    return result


def _access(endpoint: ir.Endpoint, release: Picker) -> Iterator[Object]:
    """Yield the account, its Role for the pool, and its ClusterRole for authenticating readers of metrics."""
    service, origin = picker_service(endpoint), settings(endpoint).span
    name, namespace = service.name, service.namespace
    cluster_name = _cluster_name(namespace, name)
    yield make("v1", "ServiceAccount", name, origin, namespace=namespace, automountServiceAccountToken=True)
    yield make(f"{RBAC_GROUP}/v1", "Role", name, origin, namespace=namespace, rules=_role_rules(endpoint, release))
    yield make(f"{RBAC_GROUP}/v1", "RoleBinding", name, origin, namespace=namespace, **_binding("Role", name, service))
    yield make(f"{RBAC_GROUP}/v1", "ClusterRole", cluster_name, origin, rules=_METRICS_AUTH)
    yield make(
        f"{RBAC_GROUP}/v1", "ClusterRoleBinding", cluster_name, origin, **_binding("ClusterRole", cluster_name, service)
    )


def cluster_names(pools: Pooled) -> Callable[[ir.Policy], Iterator[tuple[str, str, str]]]:
    """Return the function that names the cluster-scoped objects of pickers, whatever their endpoints are called.

    Args:
        pools: Which endpoints may have pickers.
    """

    def names(policy: ir.Policy) -> Iterator[tuple[str, str, str]]:
        """Yield a pattern per kind and namespace."""
        for namespace in sorted({picker_service(pool).namespace for pool in pools(policy)}):
            for kind in ("ClusterRole", "ClusterRoleBinding"):
                yield RBAC_GROUP, kind, _cluster_name(namespace, f"*{PICKER_SUFFIX}")

    return names


def _cluster_name(namespace: str, picker: str) -> str:
    """Return the name of a picker's cluster-scoped objects: pickers of one name have separate bindings."""
    return f"{namespace}-{picker}-metrics-auth"


def _role_rules(endpoint: ir.Endpoint, release: Picker) -> list[Body]:
    rules = [_reads("", ["pods"]), _reads(POOL_GROUP, ["inferencepools"])]
    rules += [_reads(group, list(kinds)) for group, kinds in release.watches.items()]
    if settings(endpoint).picker.replicas > 1:
        rules.append(
            {
                "apiGroups": ["coordination.k8s.io"],
                "resources": ["leases"],
                "verbs": ["create", "get", "list", "patch", "update", "watch"],
            }
        )
        rules.append({"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]})
    return rules


def _reads(group: str, kinds: list[str]) -> Body:
    return {"apiGroups": [group], "resources": kinds, "verbs": ["get", "list", "watch"]}


def _binding(kind: str, role: str, service: ir.ServiceRef) -> Body:
    return {
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": service.name, "namespace": service.namespace}],
    }
