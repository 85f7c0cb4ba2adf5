"""Processors of others that write the header by which routes choose a model: body-based routers."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.releases.attachments import BODY_ROUTER_HEADERS, BODY_ROUTERS
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex, label_selector
from vsr_compiler.verify.router_config import foreign_headers


def second_writers(index: ManifestIndex) -> Iterator[tuple[ExtProcFilter, str]]:
    """Yield the body-based routers on Gateways of a router that writes the same header, with this header."""
    headers = [header for header in foreign_headers(index) if header in BODY_ROUTER_HEADERS]
    if not headers:
        return
    processors = ext_proc_filters(index)
    others = [processor for processor in processors if _is_body_router(index, processor)]
    gateways = {gateway for item in processors if item not in others for gateway in _gateways(item.source)}
    for processor in others:
        if not gateways.isdisjoint(_gateways(processor.source)):
            yield processor, headers[0]


def _is_body_router(index: ManifestIndex, processor: ExtProcFilter) -> bool:
    names = [processor.name]
    for namespace, name, _ in processor.services:
        names.append(name)
        service = index.service(namespace, name)
        selector = label_selector(service.body, "spec", "selector") if service else {}
        for workload in index.selected_workloads(namespace, selector) if selector else ():
            names += [as_string(container.get("image")) for _, container in workload.containers()]
    return any(part in name for name in names for part in BODY_ROUTERS)


def _gateways(source: Manifest) -> set[tuple[str, str]]:
    """Return namespace and name of the Gateways that an object with a filter names."""
    refs = [*as_mappings(source.spec.get("targetRefs")), as_mapping(source.spec.get("targetRef"))]
    return {(source.namespace, as_string(ref.get("name"))) for ref in refs if ref.get("kind") == "Gateway"}
