"""Istio itself, where its installation is among the objects: its release, and the variables that it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import Manifest, Path, rows, table, text
from vsr_compiler.verify.manifest_index import World, shared

_RELEASE = re.compile(r"v?(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_PILOT = re.compile(r"(^|/)pilot(:|@|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Istio:
    """A control plane.

    Attributes:
        source: Its Deployment, or the IstioOperator that asks for it.
        release: Its release; None where nothing tells.
        path: Where the release stands.
        variables: Its environment, each with its place.
    """

    source: Manifest
    release: tuple[int, int, int] | None
    path: Path
    variables: dict[str, tuple[str, Path]]


@shared
def control_planes(world: World) -> Iterator[Istio]:
    """Every control plane in the objects."""
    for pods in world.pods:
        for path, container in pods.containers():
            image = text(container.get("image"))
            if _PILOT.search(image):
                env = {
                    text(each.get("name")): (text(each.get("value")), (*where, "name"))
                    for where, each in pods.owner.each(*path, "env")
                }
                yield Istio(pods.owner, release(image.rpartition(":")[2]), (*path, "image"), env)
    for each in world.of("IstioOperator", "install.istio.io"):
        where: Path = ("spec", "values", "pilot", "env")
        variables = {name: (_word(value), (*where, name)) for name, value in table(each.at(*where)).items()}
        places: tuple[Path, ...] = (("spec", "tag"), ("spec", "values", "global", "tag"))
        tag = next((path for path in places if each.at(*path)), places[0])
        yield Istio(each, release(text(each.at(*tag))), tag, variables)


@shared
def gateway_api(world: World) -> Iterator[tuple[Manifest, tuple[int, int, int]]]:
    """The Gateway API's own definitions with the release that they say they are of."""
    for each in world.of("CustomResourceDefinition"):
        found = release(text(each.at("metadata", "annotations", "gateway.networking.k8s.io/bundle-version")))
        if found is not None:
            yield each, found


def release(value: str) -> tuple[int, int, int] | None:
    """A release's three numbers."""
    found = _RELEASE.match(value)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def pooled_routes(world: World) -> dict[tuple[str, str], list[Manifest]]:
    """The routes that lead to pools, by their gateways."""
    found: dict[tuple[str, str], list[Manifest]] = {}
    for route in world.of("HTTPRoute"):
        bodies = rows(route.spec.get("rules"))
        if any(ref.get("kind") == "InferencePool" for body in bodies for ref in rows(body.get("backendRefs"))):
            for gateway in world.gateways(route):
                found.setdefault(gateway, []).append(route)
    return found


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)
