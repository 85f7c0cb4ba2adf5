"""Components of a check that act on request headers of clients, behind the Gateways of one namespace."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Manifest, as_string
from vsr_compiler.verify.manifest_index import AI, ManifestIndex
from vsr_compiler.verify.pickers import IMAGE_RELEASE, Picker, pickers
from vsr_schemas.obeyed_headers import (
    AI_GATEWAY,
    INFERENCE_EXTENSION,
    LLM_D,
    VLLM,
    Component,
    Impact,
    ObeyedHeader,
    Treatment,
)

_IMAGES = (("llm-d", LLM_D), ("gateway-api-inference-extension", INFERENCE_EXTENSION))
"""Parts of image names of endpoint pickers. Images of other names are taken to be of the inference extension."""
_FIRST = (0, 4, 0)
"""The release of Envoy AI Gateway that manifests of its first API are taken to be for."""
_SERVERS = ("vllm-openai", "vllm/vllm")
"""Parts of image names of vLLM."""


def header_readers(
    index: ManifestIndex, routes: list[Manifest]
) -> Iterator[tuple[Component, tuple[ObeyedHeader, ...]]]:
    """Yield each component behind some routes, with the headers that it acts on and clients may not send.

    Headers that change nothing but reports are left out, and so is Envoy, which removes its own from clients' requests.
    """
    for component, release in dict.fromkeys(_components(index, routes)):
        headers = tuple(
            header
            for header in component.headers
            if header.treatment is Treatment.STRIP
            and header.impact is not Impact.REPORT
            and not header.prefix
            and _reads(header, release)
        )
        if headers:
            yield component, headers


def _components(index: ManifestIndex, routes: list[Manifest]) -> Iterator[tuple[Component, tuple[int, ...]]]:
    """Yield components with their releases; a release is empty if it is not known."""
    pools = {
        (as_string(ref.get("namespace")) or route.namespace, as_string(ref.get("name")))
        for route in routes
        for _, ref in index.backend_refs(route)
        if ref.get("kind") == "InferencePool"
    }
    unknown = set(pools)
    for key in sorted(pools):
        for picker in _pickers_by_pool(index).get(key, ()):
            unknown.discard(key)
            image = as_string(picker.container.get("image"))
            component = next((item for part, item in _IMAGES if part in image), INFERENCE_EXTENSION)
            yield component, _release(image)
    if unknown:
        yield INFERENCE_EXTENSION, ()
    versions = {route.version for route in routes if route.group == AI}
    if versions:
        yield AI_GATEWAY, _FIRST if versions == {"v1alpha1"} else ()
    if index.cached("runs vLLM", lambda: _runs_vllm(index)):
        yield VLLM, ()


def _pickers_by_pool(index: ManifestIndex) -> dict[tuple[str, str], list[Picker]]:
    def compute() -> dict[tuple[str, str], list[Picker]]:
        by_pool: dict[tuple[str, str], list[Picker]] = {}
        for picker in pickers(index):
            by_pool.setdefault((picker.pool.namespace, picker.pool.name), []).append(picker)
        return by_pool

    return index.cached("pickers by pool", compute)


def _runs_vllm(index: ManifestIndex) -> bool:
    return any(
        part in as_string(container.get("image"))
        for workload in index.workloads
        for _, container in workload.containers()
        for part in _SERVERS
    )


def _release(image: str) -> tuple[int, ...]:
    match = IMAGE_RELEASE.search(image)
    return tuple(int(part) for part in match.groups()) if match else ()


def _reads(header: ObeyedHeader, release: tuple[int, ...]) -> bool:
    """Return whether a release reads a header. An unknown release reads all."""
    if not release:
        return True
    too_old = bool(header.since) and release < _numbers(header.since)
    return not too_old and not (header.until and release[:2] > _numbers(header.until)[:2])


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
