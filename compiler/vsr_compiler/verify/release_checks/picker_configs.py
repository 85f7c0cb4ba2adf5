"""EndpointPickerConfigs in ConfigMaps, arguments and values of charts, with the release of the picker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from vsr_compiler.releases.breakages.model import Program
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex, cached_per_index
from vsr_compiler.verify.release_checks.programs import containers
from vsr_compiler.verify.release_checks.texts import mappings, texts
from vsr_compiler.verify.router_config import embedded_document

KIND = "EndpointPickerConfig"
_VALUES = ("HelmRelease", "Application")
_EXTENSION = "gateway-api-inference-extension/"


@dataclass(frozen=True, slots=True, eq=False)
class PickerConfig:
    """A configuration of llm-d's endpoint picker.

    Attributes:
        source: The object that contains it.
        path: Its path.
        body: Its content.
        release: The release of the picker that reads it, by the picker's image; empty if that is unknown.
    """

    source: Manifest
    path: Path
    body: Body
    release: str

    @property
    def plugins(self) -> list[Body]:
        """The declared plugins."""
        return as_mappings(self.body.get("plugins"))


@cached_per_index
def picker_configs(index: ManifestIndex) -> Iterator[PickerConfig]:
    """Yield the configurations, without those of the inference extension's own pickers."""
    for source, path, text, release in (*_in_config_maps(index), *_in_arguments(index), *_in_values(index)):
        if KIND in text:
            body = embedded_document(index, text)
            if body.get("kind") == KIND:
                yield PickerConfig(source, path, body, release)
    for source in index.manifests:
        if "." in source.group and source.kind != KIND:
            for path, body in mappings(source.body.get("spec"), ("spec",)):
                if body.get("kind") == KIND:
                    yield PickerConfig(source, path, body, "")


_Place: TypeAlias = tuple[Manifest, Path, str, str]
"""An object, the path of a text in it, the text, and the release of its reader."""


def _in_config_maps(index: ManifestIndex) -> Iterator[_Place]:
    readers = _readers(index)
    for source in index.of_kind("ConfigMap", ""):
        images = readers.get((source.namespace, source.name), [])
        releases = {release for _, release in images if release}
        release = next(iter(releases)) if len(releases) == 1 else ""
        if not any(_EXTENSION in image for image, _ in images):
            yield from ((source, path, text, release) for path, text in texts(source.body.get("data"), ("data",)))


def _in_arguments(index: ManifestIndex) -> Iterator[_Place]:
    for container in containers(index):
        for name, value, path in container.arguments if container.program is Program.PICKER else ():
            if name == "config-text":
                yield container.owner, path, value, container.release


def _in_values(index: ManifestIndex) -> Iterator[_Place]:
    for source in (source for kind in _VALUES for source in index.of_kind(kind)):
        yield from ((source, path, text, "") for path, text in texts(source.body.get("spec"), ("spec",)))


def _readers(index: ManifestIndex) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return the images of pods that mount a ConfigMap, each with its release, by the ConfigMap."""
    releases = {(id(item.owner), item.path): item.release for item in containers(index)}
    readers: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for workload in index.workloads:
        names = {
            as_string(value_at(volume, "configMap", "name")) for volume in as_mappings(workload.spec.get("volumes"))
        }
        images = [
            (as_string(container.get("image")), releases.get((id(workload.owner), path), ""))
            for path, container in workload.containers()
        ]
        for name in names - {""}:
            readers.setdefault((workload.owner.namespace, name), []).extend(images)
    return readers
