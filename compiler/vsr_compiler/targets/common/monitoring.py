"""The component `monitoring` for the Prometheus operator: monitors, access to metrics, alerts and a dashboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import MONITORING_GROUP, RBAC_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.targets.common import objectives
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.dashboard import alerts as alerts_of_router
from vsr_compiler.targets.common.dashboard import dashboard, series_of
from vsr_compiler.targets.common.gateway_api import GatewayPods, PodsOfGateway
from vsr_compiler.targets.common.picker import METRICS_PORT
from vsr_compiler.targets.common.pools import Pooled, none, picker_service, settings
from vsr_compiler.targets.common.server_pods import ServerPods, Servers, server_pods
from vsr_compiler.targets.common.workloads import selector

API = f"{MONITORING_GROUP}/v1"
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
"""The label of Prometheus pods that the operator creates."""
READER = "vsr-metrics-reader"


def component(
    gateway: PodsOfGateway, pooled: Pooled = none, servers: Servers = server_pods
) -> Callable[[ir.Policy], Component]:
    """Return the builder of the component.

    Args:
        gateway: How the control plane runs the Gateway.
        pooled: Which endpoints have endpoint pickers.
        servers: The pods of model servers.
    """

    def build(policy: ir.Policy) -> Component:
        """Return the component."""
        pools = pooled(policy)
        proxies = gateway(policy)
        objects = (
            *_common(policy, proxies),
            *_servers(policy, pools, servers(policy)),
            *_pickers(policy, pools),
            _rules(policy, pools, proxies),
        )
        return Component("monitoring", objects)

    return build


def cluster_names(pooled: Pooled) -> Callable[[ir.Policy], Iterator[tuple[str, str, str]]]:
    """Return the function that names the cluster-scoped objects of the component.

    Args:
        pooled: Which endpoints may have pickers.
    """

    def names(policy: ir.Policy) -> Iterator[tuple[str, str, str]]:
        """Yield the roles of the readers of metrics."""
        for namespace in sorted({pool.service.namespace for pool in pooled(policy)}):
            for kind in ("ClusterRole", "ClusterRoleBinding"):
                yield RBAC_GROUP, kind, _reader_name(namespace)

    return names


def _reader_name(namespace: str) -> str:
    return f"{namespace}-{READER}"


def _common(policy: ir.Policy, proxies: GatewayPods) -> Iterator[Object]:
    """Yield the monitors of the router and the gateway."""
    router, gateway = policy.router, policy.gateway
    name, namespace = router.grpc.name, router.grpc.namespace
    yield make(
        API,
        "ServiceMonitor",
        name,
        router.span,
        namespace=namespace,
        spec={"endpoints": [{"path": "/metrics", "port": "http"}], "selector": {"matchLabels": selector(name)}},
    )
    yield _scrapers(policy)
    ports = [{"path": proxies.path, "port": proxies.metrics}]
    yield _pod_monitor(gateway.name, gateway.namespace, gateway.span, dict(proxies.labels), ports, proxies.namespace)


def _servers(policy: ir.Policy, pools: list[ir.Endpoint], servers: list[ServerPods]) -> Iterator[Object]:
    """Yield the monitors of model servers, and the dashboard."""
    yield dashboard(policy, pools, servers)
    for pods in servers:
        yield _pod_monitor(pods.name, pods.namespace, pods.origin, pods.labels, pods.ports)


def _scrapers(policy: ir.Policy) -> Object:
    """Return a NetworkPolicy that additionally allows Prometheus in any namespace to reach the router's HTTP port."""
    router = policy.router
    return make(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        f"{router.grpc.name}-metrics",
        router.span,
        namespace=router.grpc.namespace,
        spec={
            "podSelector": {"matchLabels": selector(router.grpc.name)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": PROMETHEUS}}],
                    "ports": [{"port": router.http.port, "protocol": "TCP"}],
                }
            ],
        },
    )


def _pod_monitor(
    name: str, namespace: str, origin: ir.Span, pods: dict[str, str], endpoints: list[Body], where: str = ""
) -> Object:
    """Return a PodMonitor. ``where`` is the namespace of the pods, if it differs from the monitor's."""
    spec: Body = {"podMetricsEndpoints": endpoints, "selector": {"matchLabels": pods}}
    if where and where != namespace:
        spec["namespaceSelector"] = {"matchNames": [where]}
    return make(API, "PodMonitor", name, origin, namespace=namespace, spec=spec)


def _pickers(policy: ir.Policy, pools: list[ir.Endpoint]) -> Iterator[Object]:
    """Yield monitors of the pickers, which authenticate readers: one account per namespace may read metrics."""
    for namespace, origin in sorted({pool.service.namespace: policy.router.span for pool in pools}.items()):
        yield from _reader(namespace, origin)
    for pool in pools:
        service = picker_service(pool)
        credentials = {"key": "token", "name": READER}
        endpoint = {
            "authorization": {"credentials": credentials, "type": "Bearer"},
            "path": "/metrics",
            "targetPort": METRICS_PORT,
        }
        # The Service has these labels and this port also if the chart of the picker installs it; its pods do not.
        yield make(
            API,
            "ServiceMonitor",
            service.name,
            pool.span,
            namespace=service.namespace,
            spec={"endpoints": [endpoint], "selector": {"matchLabels": selector(service.name)}},
        )


def _reader(namespace: str, origin: ir.Span) -> Iterator[Object]:
    wide = _reader_name(namespace)
    account = {"kubernetes.io/service-account.name": READER}
    yield make("v1", "ServiceAccount", READER, origin, namespace=namespace, automountServiceAccountToken=False)
    yield make(
        "v1",
        "Secret",
        READER,
        origin,
        namespace=namespace,
        annotations=account,
        type="kubernetes.io/service-account-token",
    )
    rules = [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
    yield make(f"{RBAC_GROUP}/v1", "ClusterRole", wide, origin, rules=rules)
    yield make(
        f"{RBAC_GROUP}/v1",
        "ClusterRoleBinding",
        wide,
        origin,
        roleRef={"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": wide},
        subjects=[{"kind": "ServiceAccount", "name": READER, "namespace": namespace}],
    )


def _rules(policy: ir.Policy, pools: list[ir.Endpoint], proxies: GatewayPods) -> Object:
    """Return alerts on metrics of kube-state-metrics, the router and the model servers."""
    router = policy.router
    alerts = [
        _no_replicas(
            "RouterUnavailable",
            router.grpc,
            f"The router has no available replica: {_effect_of_outage(router, proxies.down)}.",
            stepwise=router.rollout is not None,
        ),
        *alerts_of_router(policy),
    ]
    for pool in pools:
        closed = settings(pool).failure_mode == "FailClose"
        effect = "its requests fail" if closed else "its load is not balanced"
        text = f"The endpoint picker of {pool.name} has no available replica: {effect}."
        alerts.append(_no_replicas("EndpointPickerUnavailable", picker_service(pool), text))
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            service, waiting = endpoint.service, VLLM[policy.versions["vllm"]].waiting_metric
            where = f'namespace="{service.namespace}",pod=~"{service.name}(-prefill|-decode)?-[a-z0-9]+-[a-z0-9]+"'
            alerts.append(
                {
                    "alert": "ModelQueueGrows",
                    "expr": f"min_over_time(sum({waiting}{{{where}}})[10m:1m]) > 10",
                    "for": "5m",
                    "labels": {"severity": "warning", "endpoint": endpoint.object_name},
                    "annotations": {"summary": f"Requests have waited at {endpoint.name} for ten minutes."},
                }
            )
    groups = [{"name": f"vsr-{policy.name}", "rules": alerts}, *objectives.group(policy, series_of(policy))]
    return make(
        API,
        "PrometheusRule",
        f"{router.grpc.name}-{policy.name}",
        router.span,
        namespace=router.grpc.namespace,
        spec={"groups": groups},
    )


def _effect_of_outage(router: ir.Router, status: int) -> str:
    return "every request goes to the default model" if router.fails_open else f"every request gets {status}"


def _no_replicas(alert: str, service: ir.ServiceRef, text: str, *, stepwise: bool = False) -> Body:
    where = f'namespace="{service.namespace}",deployment="{service.name}"'
    available = f"kube_deployment_status_replicas_available{{{where}}}"
    if stepwise:
        # kube-state-metrics knows no Rollouts; their controller does (argo-rollouts 1.9.1, `controller/metrics`).
        available = f'rollout_info_replicas_available{{namespace="{service.namespace}",name="{service.name}"}}'
    return {
        "alert": alert,
        "expr": f"{available} == 0",
        "for": "2m",
        "labels": {"severity": "critical", "deployment": service.name},
        "annotations": {"summary": text},
    }
