"""Routers that choose a model server themselves: the production stack's, which discovers servers by their labels.

Source: vllm-project/production-stack 0.1.8 to 0.1.12, `src/vllm_router/parsers/parser.py` and `service_discovery.py`.
"""

from __future__ import annotations

import re

from vsr_compiler.verify.manifest import as_string
from vsr_compiler.verify.manifest_index import ManifestIndex, Workload
from vsr_compiler.verify.pickers import Flags, container_flags

_IMAGE = re.compile(r"(^|/)(lmstack-router|production-stack-router|vllm-router)(?=[:@]|$)")
_HOST = re.compile(r"https?://([^/:,\s]+)")
_MOST = 200


def servers_behind(index: ManifestIndex, workload: Workload) -> list[Workload] | None:
    """Return the model servers among which a router of the production stack chooses; None if it is none."""
    for path, container in workload.containers():
        if _IMAGE.search(as_string(container.get("image"))):
            flags = container_flags(container, path)
            return _static(index, workload, flags) if "static-backends" in flags else _labelled(index, workload, flags)
    return None


def _labelled(index: ManifestIndex, workload: Workload, flags: Flags) -> list[Workload]:
    namespace = flags.get("k8s-namespace", ("default", ()))[0]
    pairs = [pair.partition("=") for pair in flags.get("k8s-label-selector", ("", ()))[0].split(",") if pair]
    labels = {key.strip(): value.lstrip("=").strip() for key, equals, value in pairs if equals}
    if not labels:
        return []
    return [server for server in index.selected_workloads(namespace, labels) if server is not workload]


def _static(index: ManifestIndex, workload: Workload, flags: Flags) -> list[Workload]:
    servers: dict[int, Workload] = {}
    for host in _HOST.findall(flags["static-backends"][0])[:_MOST]:
        names = index.service_of_host(host, workload.owner.namespace)
        service = index.service(names[1], names[0]) if names else None
        labels = service.spec.get("selector") if service else None
        if service is not None and isinstance(labels, dict) and all(isinstance(item, str) for item in labels.values()):
            servers |= {id(server): server for server in index.selected_workloads(service.namespace, labels)}
    return list(servers.values())
