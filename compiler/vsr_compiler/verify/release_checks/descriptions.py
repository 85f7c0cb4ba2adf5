"""Descriptions of containers in objects that create no pods themselves: custom resources, and values of Helm charts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vsr_compiler.verify.manifest import Body, Manifest, Path, as_string, as_strings
from vsr_compiler.verify.manifest_index import ManifestIndex

_MAX_DEPTH = 40
_FIELDS = frozenset({"args", "extraArgs", "extraArguments", "command"})
_QUIET = (".k8s.io", "gateway.envoyproxy.io", "istio.io", "coreos.com")
"""Groups of custom resources that describe no containers with programs of ours."""


class Description(NamedTuple):
    """A container as an object describes it: arguments below it, and the image that applies to it."""

    owner: Manifest
    path: Path
    body: Body


class _Node(NamedTuple):
    value: object
    path: Path
    image: str


def descriptions(index: ManifestIndex) -> Iterator[Description]:
    """Yield what describes a container, with its image in the field ``image`` and all arguments in ``args``."""
    owners = {id(workload.owner) for workload in index.workloads}
    for owner in index.manifests:
        is_custom = "." in owner.group and not owner.group.endswith(_QUIET)
        if is_custom and id(owner) not in owners:
            yield from _below(owner)


def _below(owner: Manifest) -> Iterator[Description]:
    stack = [_Node(owner.body.get("spec"), ("spec",), "")]
    while stack:
        node = stack.pop()
        value, path = node.value, node.path
        if isinstance(value, dict) and len(path) < _MAX_DEPTH:
            image = _image(value) or node.image
            for field in _FIELDS & value.keys():
                if as_strings(value[field]):
                    yield Description(owner, path, {"image": image, field: value[field]})
            stack += [_Node(child, (*path, str(key)), image) for key, child in reversed(value.items())]
        elif isinstance(value, list) and len(path) < _MAX_DEPTH:
            stack += [_Node(child, (*path, number), node.image) for number, child in reversed(list(enumerate(value)))]


def _image(value: Body) -> str:
    """Return the image that a mapping names: whole, or as repository and tag."""
    image = value.get("image")
    if isinstance(image, str):
        return image
    parts = image if isinstance(image, dict) else value
    repository, tag = as_string(parts.get("repository")), as_string(parts.get("tag"))
    return f"{repository}:{tag}" if repository and tag else repository
