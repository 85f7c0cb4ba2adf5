"""L05: selectors that match no pods, the wrong pods or a port that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.created_objects import created_objects
from vsr_compiler.verify.manifest import (
    Manifest,
    as_mapping,
    as_string,
    as_string_map,
    as_strings,
    value_at,
)
from vsr_compiler.verify.manifest_index import GATEWAY_API, ISTIO, ManifestIndex, Workload, label_selector
from vsr_compiler.verify.rules.rule import LinkRule
from vsr_compiler.verify.selection import labelled_services, namespaces_of_pods, selected_ports

_MONITORING = "monitoring.coreos.com"
_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
_SELECTOR_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("networking.k8s.io", "NetworkPolicy"): ("podSelector",),
    ("policy", "PodDisruptionBudget"): ("selector",),
    (_MONITORING, "PodMonitor"): ("selector",),
    ("security.istio.io", "AuthorizationPolicy"): ("selector",),
    ("security.istio.io", "RequestAuthentication"): ("selector",),
    ("security.istio.io", "PeerAuthentication"): ("selector",),
    (ISTIO, "Sidecar"): ("workloadSelector", "labels"),
}
"""Fields that select pods of the object's namespace, by API group and kind."""
_ROOT = "istio-system"
"""Istio's root namespace, whose policies select pods of all namespaces."""
_INSTALLED = frozenset(
    {
        ("istio", "ingressgateway"),
        ("istio", "egressgateway"),
        ("istio", "eastwestgateway"),
        ("istio", "ingress"),
        ("app", "istio-ingressgateway"),
        ("app", "istio-ingress"),
        ("app", "istio-egressgateway"),
    }
)
"""Labels of the gateways that Istio's charts install."""
_NO_PODS_HINT = "Fix the labels or the namespace, or pass --assume Pod/NAMESPACE/KEY=VALUE."


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    yield from _pools(index)
    for service in index.of_kind("Service", ""):
        yield from _service(index, service)
    for (group, kind), field in _SELECTOR_FIELDS.items():
        for manifest in index.of_kind(kind, group):
            yield from _pod_selector(index, manifest, field)
    yield from _istio_gateways(index)
    yield from _subsets(index)
    for monitor in index.of_kind("ServiceMonitor", _MONITORING):
        yield from _service_monitor(index, monitor)
    for monitor in index.of_kind("PodMonitor", _MONITORING):
        yield from _pod_monitor(index, monitor)
    for envoy_filter in index.of_kind("EnvoyFilter", ISTIO):
        yield from _workload_selector(index, envoy_filter)
    for workload in index.workloads:
        owner = workload.owner
        labels = label_selector(owner.body, "spec", "selector") if owner.kind != "Job" else {}
        if labels and not labels.items() <= workload.labels.items():
            message = f"the selector of {owner.title} does not match its own pods"
            hint = "Add the selector's labels to the pod template."
            yield Diagnostic("VSR405", message, owner.span("spec", "selector"), hint)


def _pools(index: ManifestIndex) -> Iterator[Diagnostic]:
    pool_of: dict[int, Manifest] = {}
    first_with: dict[tuple[str, frozenset[tuple[str, str]]], Manifest] = {}
    for pool in index.pools:
        labels = label_selector(pool.body, "spec", "selector")
        span = pool.span("spec", "selector")
        workloads = index.selected_workloads(pool.namespace, labels)
        if not workloads and not index.assumes_pods(pool.namespace, labels):
            level = Severity.ERROR if is_missing(index, pool.namespace, labels) else Severity.NOTE
            hint = _no_pods_hint(index, pool, labels)
            yield Diagnostic("VSR405", f"{pool.title} selects no pods", span, hint, level)
        same = first_with.setdefault((pool.namespace, frozenset(labels.items())), pool)
        # Pools with one selector share all of their pods.
        shared = workloads if same is not pool else [item for item in workloads if id(item) in pool_of]
        if shared:
            other = pool_of[id(shared[0])]
            message = f"the pods of {_titles(shared)} are in two pools: {other.title} and {pool.title}"
            hint = "Select each pool by labels that only its own pods have."
            yield Diagnostic("VSR405", message, span, hint, Severity.WARNING)
        if same is pool:
            for workload in workloads:
                pool_of.setdefault(id(workload), pool)
        for ports, having in selected_ports(index, pool.namespace, labels):
            yield from _pool_ports(pool, ports, having)


def _titles(workloads: list[Workload]) -> str:
    """Return the first of some workloads in messages, and how many others there are."""
    others = len(workloads) - 1
    return workloads[0].owner.title + (f" and {others} other{'s' * (others > 1)}" if others else "")


def _no_pods_hint(index: ManifestIndex, pool: Manifest, labels: dict[str, str]) -> str:
    namespaces = namespaces_of_pods(index, labels)
    pairs = ",".join(f"{key}={value}" for key, value in labels.items())
    assume = f"pass --assume Pod/{pool.namespace}/{pairs} if they exist elsewhere"
    if namespaces:
        return f"Move the pool to `{namespaces[0]}`: a pool selects pods of its own namespace only. Or {assume}."
    return f"Fix the labels, or {assume}."


def _pool_ports(pool: Manifest, ports: dict[str, int], workloads: list[Workload]) -> Iterator[Diagnostic]:
    container_ports = sorted(set(ports.values()))
    targets = [((*path, "number"), body.get("number")) for path, body in pool.entries("spec", "targetPorts")]
    if "targetPortNumber" in pool.spec:
        targets.append((("spec", "targetPortNumber"), pool.spec["targetPortNumber"]))
    for path, number in targets:
        if container_ports and number not in container_ports:
            message = f"{pool.title} sends to port {number}, which {_titles(workloads)} does not have"
            hint = f"Use a port of its containers: {', '.join(map(str, container_ports))}."
            yield Diagnostic("VSR405", message, pool.span(*path), hint)


def _service(index: ManifestIndex, service: Manifest) -> Iterator[Diagnostic]:
    labels = as_string_map(service.spec.get("selector"))
    if not labels or _GATEWAY_LABEL in labels:
        return
    workloads = index.selected_workloads(service.namespace, labels)
    if not workloads and is_missing(index, service.namespace, labels):
        message = f"{service.title} selects no pods among the checked objects"
        beside = namespaces_of_pods(index, labels) or _folder(service) in _folders_with_pods(index)
        level = Severity.WARNING if beside else Severity.NOTE
        yield Diagnostic("VSR405", message, service.span("spec", "selector"), _NO_PODS_HINT, level)
    for ports, having in selected_ports(index, service.namespace, labels):
        known = {*ports, *ports.values()}
        # Beside a declared one, a port is rather left out of the declaration than wrong.
        targets = [port.get("targetPort", port.get("port")) for _, port in service.entries("spec", "ports")]
        by_number = Severity.WARNING if known.isdisjoint(map(_plain, targets)) else Severity.NOTE
        for path, port in service.entries("spec", "ports"):
            target = port.get("targetPort", port.get("port"))
            if ports and target not in [*ports, *ports.values()]:
                message = f"{service.title} forwards to port {target}, which {_titles(having)} does not declare"
                # A port number works without a declaration; a port name does not.
                level = Severity.ERROR if isinstance(target, str) else by_number
                hint = f"Use a declared port: {', '.join(f'{name} ({number})' for name, number in ports.items())}."
                yield Diagnostic("VSR405", message, service.span(*path), hint, level)


def _plain(target: object) -> object:
    return target if isinstance(target, str | int) else None


def _folder(manifest: Manifest) -> str:
    return manifest.span("kind").file.rpartition("/")[0]


def _folders_with_pods(index: ManifestIndex) -> frozenset[str]:
    return index.cached("folders with pods", lambda: frozenset(_folder(item.owner) for item in index.workloads))


def is_missing(index: ManifestIndex, namespace: str, labels: dict[str, str]) -> bool:
    """Whether pods with labels, of which none is selected, are missing: other pods of their namespace are checked."""
    if index.assumes_pods(namespace, labels):
        return False
    if index.assumptions.is_complete or namespaces_of_pods(index, labels):
        return True
    return namespace in _namespaces_with_pods(index) and created_objects(index).makes_pods(namespace) is None


def _namespaces_with_pods(index: ManifestIndex) -> frozenset[str]:
    return index.cached(
        "namespaces with pods", lambda: frozenset(workload.owner.namespace for workload in index.workloads)
    )


def _istio_gateways(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check that Gateways of Istio select pods; those of Istio's own charts are installed elsewhere."""
    for gateway in index.of_kind("Gateway", ISTIO):
        labels = as_string_map(gateway.spec.get("selector"))
        if not labels or _INSTALLED & labels.items() or _GATEWAY_LABEL in labels or not index.workloads:
            continue
        if not namespaces_of_pods(index, labels) and not any(
            created_objects(index).makes_pods(namespace) or index.assumes_pods(namespace, labels)
            for namespace in (gateway.namespace, _ROOT)
        ):
            message = f"{gateway.title} selects no pods among the checked objects"
            hint = "Use the labels of a gateway's pods, such as `istio: ingressgateway`."
            yield Diagnostic("VSR405", message, gateway.span("spec", "selector"), hint, Severity.WARNING)


def _subsets(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check that each subset of a DestinationRule has pods of its Service."""
    for rule in index.of_kind("DestinationRule", ISTIO):
        names = index.service_of_host(as_string(rule.spec.get("host")), rule.namespace)
        service = index.service(names[1], names[0]) if names else None
        selector = as_string_map(service.spec.get("selector")) if service else {}
        if service is None or not index.selected_workloads(service.namespace, selector):
            continue
        for path, subset in rule.entries("spec", "subsets"):
            labels = selector | as_string_map(subset.get("labels"))
            if not index.selected_workloads(service.namespace, labels) and is_missing(index, service.namespace, labels):
                message = f"the subset `{as_string(subset.get('name'))[:80]}` of {rule.title} selects no pods"
                hint = f"Use labels of pods of {service.title}, or add a workload with these labels."
                yield Diagnostic("VSR405", message, rule.span(*path), hint, Severity.WARNING)


def _pod_selector(index: ManifestIndex, manifest: Manifest, field: tuple[str, ...]) -> Iterator[Diagnostic]:
    labels = label_selector(manifest.body, "spec", *field)
    gateway_name = labels.get(_GATEWAY_LABEL, "")
    if (
        not labels
        or value_at(manifest.spec, "namespaceSelector")
        or value_at(manifest.spec, *field, "matchExpressions")
    ):
        return
    if manifest.namespace == _ROOT and manifest.group.endswith("istio.io"):
        return
    if gateway_name and any(gateway.name == gateway_name for gateway in index.of_kind("Gateway")):
        return
    if not index.selected_workloads(manifest.namespace, labels) and is_missing(index, manifest.namespace, labels):
        message = f"{manifest.title} selects no pods among the checked objects"
        yield Diagnostic("VSR405", message, manifest.span("spec", *field), _NO_PODS_HINT, Severity.WARNING)


def _namespaces(monitor: Manifest) -> frozenset[str] | None:
    """Return the namespaces that a monitor watches; None for all."""
    chosen = as_mapping(monitor.spec.get("namespaceSelector"))
    if chosen.get("any") is True:
        return None
    return frozenset(as_strings(chosen.get("matchNames")) or [monitor.namespace])


def _service_monitor(index: ManifestIndex, monitor: Manifest) -> Iterator[Diagnostic]:
    labels, namespaces = label_selector(monitor.body, "spec", "selector"), _namespaces(monitor)
    services = labelled_services(index, labels, namespaces)
    if labels and not services and _misses_services(index, namespaces):
        message = f"{monitor.title} selects no Service among the checked objects"
        hint = "Fix the labels or the namespaces. A ServiceMonitor selects by labels of Services, not of pods."
        yield Diagnostic("VSR405", message, monitor.span("spec", "selector"), hint, Severity.WARNING)
    names = index.cached(("names of ports", frozenset(labels.items()), namespaces), lambda: _port_names(services))
    for path, endpoint in monitor.entries("spec", "endpoints") if services else ():
        port_name = as_string(endpoint.get("port"))
        if port_name and port_name not in names:
            message = f"{monitor.title} scrapes the port `{port_name}`, which none of its Services names"
            hint = f"Use the name of a port, not its number: {', '.join(sorted(names - {''})) or 'none has a name'}."
            yield Diagnostic("VSR405", message, monitor.span(*path, "port"), hint, Severity.WARNING)


def _port_names(services: list[Manifest]) -> set[str]:
    return {as_string(port.get("name")) for service in services for _, port in service.entries("spec", "ports")}


def _misses_services(index: ManifestIndex, namespaces: frozenset[str] | None) -> bool:
    """Whether Services that a monitor does not find are missing: others of its namespaces are checked."""
    if _assumes_service(index, namespaces):
        return False
    having = index.cached(
        "namespaces with Services", lambda: frozenset(item.namespace for item in index.of_kind("Service", ""))
    )
    watched = having if namespaces is None else having & namespaces
    return bool(watched) and not any(created_objects(index).makes_pods(namespace) for namespace in watched)


def _assumes_service(index: ManifestIndex, namespaces: frozenset[str] | None) -> bool:
    return any(
        kind == "Service" and (namespaces is None or namespace in namespaces)
        for kind, namespace, _ in index.assumptions.objects
    )


def _pod_monitor(index: ManifestIndex, monitor: Manifest) -> Iterator[Diagnostic]:
    labels, namespaces = label_selector(monitor.body, "spec", "selector"), _namespaces(monitor)
    declared = [ports for namespace in namespaces or () for ports, _ in selected_ports(index, namespace, labels)]
    names = {name for ports in declared for name in ports}
    for path, endpoint in monitor.entries("spec", "podMetricsEndpoints") if declared else ():
        port_name = as_string(endpoint.get("port"))
        if port_name and port_name not in names:
            message = f"{monitor.title} scrapes the port `{port_name}`, which none of its pods names"
            hint = f"Use the name of a port: {', '.join(sorted(names)) or 'none has a name'}."
            yield Diagnostic("VSR405", message, monitor.span(*path, "port"), hint, Severity.WARNING)


def _workload_selector(index: ManifestIndex, envoy_filter: Manifest) -> Iterator[Diagnostic]:
    """Check that an EnvoyFilter selects a Gateway's pods: `istio: ingressgateway` belongs to another installation."""
    labels = as_string_map(value_at(envoy_filter.spec, "workloadSelector", "labels"))
    gateways = _gateways(index).get(envoy_filter.namespace, {})
    by_gateway = {_GATEWAY_LABEL: labels.get(_GATEWAY_LABEL, "")}
    if envoy_filter.namespace == _ROOT and _INSTALLED & labels.items():
        return
    if not labels or not gateways or (labels == by_gateway and by_gateway[_GATEWAY_LABEL] in gateways):
        return
    namespace = envoy_filter.namespace
    if not index.selected_workloads(namespace, labels) and not index.assumes_pods(namespace, labels):
        pairs = ", ".join(f"{key}={value}" for key, value in labels.items())
        message = f"{envoy_filter.title} selects pods with {pairs}: no Gateway's pods and no others have these labels"
        hint = f"Use targetRefs, or {_GATEWAY_LABEL}={next(iter(gateways))}."
        yield Diagnostic("VSR405", message, envoy_filter.span("spec", "workloadSelector"), hint)


def _gateways(index: ManifestIndex) -> dict[str, dict[str, Manifest]]:
    """Return the Gateways by namespace and name."""

    def compute() -> dict[str, dict[str, Manifest]]:
        gateways: dict[str, dict[str, Manifest]] = {}
        for gateway in index.of_kind("Gateway", GATEWAY_API):
            gateways.setdefault(gateway.namespace, {}).setdefault(gateway.name, gateway)
        return gateways

    return index.cached("gateways by namespace", compute)


RULE = LinkRule(
    name="L05",
    code="VSR405",
    purpose="A pool's selector matches pods in its namespace that listen on its ports and are in no other pool. "
    "Services, PodDisruptionBudgets, NetworkPolicies, EnvoyFilters and monitors select something, and monitors scrape "
    "ports that exist. The selector of a workload matches its own pods.",
    check=_check,
)
