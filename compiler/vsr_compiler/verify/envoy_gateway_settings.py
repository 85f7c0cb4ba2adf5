"""The configuration of Envoy Gateway itself among the objects."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_string_map, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.router_config import embedded_document

_CHART = "gateway-helm"


def configurations(index: ManifestIndex) -> Iterator[tuple[Manifest, Path, Body]]:
    """Yield the configurations of Envoy Gateway: its ConfigMap, and values of its chart of Flux and Argo CD."""
    for owner in index.of_kind("ConfigMap"):
        text = as_string_map(owner.body.get("data")).get("envoy-gateway.yaml")
        settings = embedded_document(index, text) if text else {}
        if settings.get("kind") == "EnvoyGateway":
            yield owner, ("data", "envoy-gateway.yaml"), settings
    for owner in index.of_kind("HelmRelease"):
        if value_at(owner.spec, "chart", "spec", "chart") == _CHART and "valuesFrom" not in owner.spec:
            yield from _values(owner, ("spec", "values"))
    for owner in index.of_kind("Application"):
        source = as_mapping(owner.spec.get("source"))
        if source.get("chart") == _CHART and as_mapping(source.get("helm")).keys() <= {"valuesObject", "releaseName"}:
            yield from _values(owner, ("spec", "source", "helm", "valuesObject"))


def _values(owner: Manifest, path: Path) -> Iterator[tuple[Manifest, Path, Body]]:
    settings = as_mapping(value_at(owner.body, *path, "config", "envoyGateway"))
    yield owner, ("spec",) if not settings else (*path, "config", "envoyGateway"), settings
