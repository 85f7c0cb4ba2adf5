"""What label selectors match, arranged once for each index."""

from __future__ import annotations

from collections import defaultdict

from vsr_compiler.verify.manifest import Manifest, as_string_map
from vsr_compiler.verify.manifest_index import ManifestIndex, Workload


def namespaces_of_pods(index: ManifestIndex, labels: dict[str, str]) -> list[str]:
    """Return the namespaces with workloads whose pods match a label selector."""

    def compute() -> dict[tuple[str, str], set[str]]:
        namespaces: dict[tuple[str, str], set[str]] = defaultdict(set)
        for namespace, name, value in index.workloads_by_label:
            namespaces[name, value].add(namespace)
        return namespaces

    by_label = index.cached("namespaces by label", compute)
    candidates = min((by_label.get(label, set()) for label in labels.items()), key=len, default=set[str]())
    return sorted(name for name in candidates if index.selected_workloads(name, labels))


def selected_ports(
    index: ManifestIndex, namespace: str, labels: dict[str, str]
) -> list[tuple[dict[str, int], list[Workload]]]:
    """Return the different sets of ports that selected workloads declare, each with these workloads."""

    def compute() -> list[tuple[dict[str, int], list[Workload]]]:
        groups: dict[frozenset[tuple[str, int]], tuple[dict[str, int], list[Workload]]] = {}
        for workload in index.selected_workloads(namespace, labels):
            ports = workload.ports()
            groups.setdefault(frozenset(ports.items()), (ports, []))[1].append(workload)
        return list(groups.values())

    return index.cached(("ports", namespace, frozenset(labels.items())), compute)


def labelled_services(
    index: ManifestIndex, labels: dict[str, str], namespaces: frozenset[str] | None
) -> list[Manifest]:
    """Return the Services that have labels, in the given namespaces or, with None, in all."""

    def by_label() -> dict[tuple[str, str], list[Manifest]]:
        services: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for service in index.of_kind("Service", ""):
            for label in as_string_map(service.at("metadata", "labels")).items():
                services[label].append(service)
        return services

    def compute() -> list[Manifest]:
        services = index.cached("services by label", by_label)
        candidates = min((services.get(label, []) for label in labels.items()), key=len, default=[])
        return [
            service
            for service in candidates
            if (namespaces is None or service.namespace in namespaces)
            and labels.items() <= as_string_map(service.at("metadata", "labels")).items()
        ]

    return index.cached(("labelled", frozenset(labels.items()), namespaces), compute)
