"""Istio and Gateway API installations among the objects: their releases and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex, cached_per_index

_RELEASE = re.compile(r"v?(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_PILOT = re.compile(r"(^|/)pilot(:|@|$)")
Release = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class ControlPlane:
    """An Istio control plane.

    Attributes:
        source: Its Deployment, or the IstioOperator that describes it.
        release: Its release; None if it is unknown.
        path: Path of the release.
        variables: Values of its environment variables, each with its path.
    """

    source: Manifest
    release: Release | None
    path: Path
    variables: dict[str, tuple[str, Path]]


@cached_per_index
def control_planes(index: ManifestIndex) -> Iterator[ControlPlane]:
    """Return the Istio control planes among the objects."""
    for workload in index.workloads:
        for path, container in workload.containers():
            image = as_string(container.get("image"))
            if _PILOT.search(image):
                variables = {
                    as_string(variable.get("name")): (as_string(variable.get("value")), (*variable_path, "name"))
                    for variable_path, variable in workload.owner.entries(*path, "env")
                }
                yield ControlPlane(workload.owner, parse_release(image.rpartition(":")[2]), (*path, "image"), variables)
    for operator in index.of_kind("IstioOperator", "install.istio.io"):
        env: Path = ("spec", "values", "pilot", "env")
        variables = {name: (_as_text(value), (*env, name)) for name, value in as_mapping(operator.at(*env)).items()}
        tags: tuple[Path, ...] = (("spec", "tag"), ("spec", "values", "global", "tag"))
        tag = next((path for path in tags if operator.at(*path)), tags[0])
        yield ControlPlane(operator, parse_release(as_string(operator.at(*tag))), tag, variables)


@cached_per_index
def gateway_api_bundles(index: ManifestIndex) -> Iterator[tuple[Manifest, Release]]:
    """Return the CustomResourceDefinitions of the Gateway API with the release in their annotation."""
    for definition in index.of_kind("CustomResourceDefinition"):
        annotation = definition.at("metadata", "annotations", "gateway.networking.k8s.io/bundle-version")
        release = parse_release(as_string(annotation))
        if release is not None:
            yield definition, release


def parse_release(value: str) -> Release | None:
    """Return the three numbers of a release; None if the value does not start with one."""
    match = _RELEASE.match(value)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else as_string(value)
