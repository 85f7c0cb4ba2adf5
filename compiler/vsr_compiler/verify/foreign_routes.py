"""Routes of others: which values of a router's header have one, as far as the manifests tell.

KServe's controller writes the routes of an LLMInferenceService, which are in no manifest. Source: kserve/kserve v0.19.0
and v0.20.0, `config/llmisvcconfig/config-llm-router-route.yaml` and `pkg/controller/v1alpha2/llmisvc`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.releases.attachments import MODEL_HEADER, publisher_name
from vsr_compiler.verify.ext_proc import ext_proc_filters
from vsr_compiler.verify.header_matches import header_matches
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex

KSERVE = "serving.kserve.io"
_KIND = "LLMInferenceService"
_HTTP: Path = ("spec", "router", "route", "http")


@dataclass(frozen=True, slots=True)
class ForeignRoute:
    """A route of others that matches a value of the header.

    Attributes:
        source: The route, or the object whose controller creates it.
        path: Path of the value, or of what it is made of.
        value: The value.
        elsewhere: Whether it attaches only to Gateways on which no processor runs.
    """

    source: Manifest
    path: Path
    value: str
    elsewhere: bool


def foreign_routes(index: ManifestIndex, header: str) -> list[ForeignRoute]:
    """Return the routes that match a header, those that controllers create among them."""
    return index.cached(("foreign routes", header), lambda: [*_written(index, header), *_created(index, header)])


def may_match_others(index: ManifestIndex, header: str) -> bool:
    """Whether a route matches the header by a pattern, so that its values are not known."""
    return any(
        as_string(match.get("name")).lower() == header and match.get("type") == "RegularExpression"
        for route in index.routes
        for rule in as_mappings(route.spec.get("rules"))
        for one in as_mappings(rule.get("matches"))
        for match in as_mappings(one.get("headers"))
    )


def attached_gateways(index: ManifestIndex) -> frozenset[tuple[str, str]]:
    """Return namespace and name of the Gateways that processors are attached to, whether they are here or not."""

    def compute() -> frozenset[tuple[str, str]]:
        return frozenset(
            (processor.source.namespace, as_string(ref.get("name")))
            for processor in ext_proc_filters(index)
            for ref in [
                *as_mappings(processor.source.spec.get("targetRefs")),
                as_mapping(processor.source.spec.get("targetRef")),
            ]
            if ref.get("kind") == "Gateway"
        )

    return index.cached("attached gateways", compute)


def _elsewhere(index: ManifestIndex, gateways: list[tuple[str, str]]) -> bool:
    attached = attached_gateways(index)
    return bool(attached and gateways) and attached.isdisjoint(gateways)


def _written(index: ManifestIndex, header: str) -> Iterator[ForeignRoute]:
    for match in header_matches(index):
        if match.name == header:
            elsewhere = _elsewhere(index, index.gateways_of(match.route))
            yield ForeignRoute(match.route, match.path, match.value, elsewhere)


def _created(index: ManifestIndex, header: str) -> Iterator[ForeignRoute]:
    """Yield the routes of LLMInferenceServices. Another header is a setting of KServe that manifests may not tell."""
    for service in index.of_kind(_KIND, KSERVE):
        route = service.at("spec", "router", "route")
        if not isinstance(route, dict) or service.at(*_HTTP, "refs"):
            continue  # it has no route, or routes that are objects of their own
        gateways = [
            (as_string(ref.get("namespace")) or service.namespace, as_string(ref.get("name")))
            for ref in as_mappings(service.at("spec", "router", "gateway", "refs"))
        ]
        elsewhere = _elsewhere(index, gateways)
        values = _custom(service, header) if service.at(*_HTTP, "spec") else _managed(service, header)
        for path, value in values:
            yield ForeignRoute(service, path, value, elsewhere)


def _managed(service: Manifest, header: str) -> Iterator[tuple[Path, str]]:
    """Yield the values of the routes that the controller writes: the model's and its adapters'."""
    if header != MODEL_HEADER:
        return
    model: Path = ("spec", "model")
    name = as_string(service.at(*model, "name"))
    yield ((*model, "name") if name else ("metadata", "name")), publisher_name(service.namespace, name or service.name)
    for path, adapter in service.entries(*model, "lora", "adapters"):
        if own := as_string(adapter.get("name")):
            yield (*path, "name"), publisher_name(service.namespace, own)


def _custom(service: Manifest, header: str) -> Iterator[tuple[Path, str]]:
    """Yield the values of a route that the service itself writes out."""
    for rule, _ in service.entries(*_HTTP, "spec", "rules"):
        for match, _ in service.entries(*rule, "matches"):
            for path, one in service.entries(*match, "headers"):
                if as_string(one.get("name")).lower() == header and value_at(one, "type") in {None, "Exact"}:
                    yield (*path, "value"), as_string(one.get("value"))
