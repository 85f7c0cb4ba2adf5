"""The patches of a kustomization, in files or in place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vsr_compiler.verify.kustomization.fields import is_remote
from vsr_compiler.verify.kustomization.loader import Loader
from vsr_compiler.verify.kustomization.merge import json_patch, strategic
from vsr_compiler.verify.kustomization.places import Places
from vsr_compiler.verify.kustomization.resource import BuildError, NotSupportedError, Pair, Resource, text_of
from vsr_compiler.verify.kustomization.targets import selected
from vsr_compiler.verify.manifest import Body, as_mapping, as_string


class HasLoader(Protocol):
    """What builds kustomizations."""

    loader: Loader


class Step(Protocol):
    """The build of one kustomization, as far as patches need it."""

    @property
    def builder(self) -> HasLoader:
        """What builds it."""

    folder: Path
    path: Path
    body: Body

    def guarded(self, path: tuple[str | int, ...], change: Any, otherwise: Any) -> Any:  # noqa: ANN401 - of any part
        """Return the result of a part of the build, or report why it has none."""

    def place(self, *path: str | int) -> Places:
        """Return the place of a part of the kustomization."""


def apply_patches(step: Step, resources: list[Resource], fields: tuple[str, ...]) -> list[Resource]:
    """Return the resources after the patches in some fields of a kustomization."""
    for name in fields:
        entries = step.body.get(name)
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            at: tuple[str | int, ...] = (name, number)
            resources = step.guarded(at, partial(_patched, step, entry, at, resources), resources)
    return resources


def _patched(step: Step, entry: object, at: tuple[str | int, ...], resources: list[Resource]) -> list[Resource]:
    target: Body = {}
    if isinstance(entry, dict):
        target = as_mapping(entry.get("target"))
        if as_mapping(entry.get("options")) and any(as_mapping(entry["options"]).values()):
            raise NotSupportedError("options of a patch")
    for patch in _documents(step, entry, at):
        if isinstance(patch[0], list):
            if not target:
                raise BuildError("a JSON patch needs a target")
            for resource in [item for item in resources if selected(item, target)]:
                _patch_by_operations(resource, patch)
        elif isinstance(patch[0], dict):
            resources = _merged(resources, patch, target)
        elif patch[0] is not None:
            raise BuildError("a patch is a mapping or a list of operations")
    return resources


def _patch_by_operations(resource: Resource, patch: Pair) -> None:
    before, kind = (resource.namespace, resource.name), resource.kind
    json_patch(resource.pair, patch)
    if kind != resource.kind:
        resource.known_kind = resource.known_kind or kind
    if (resource.namespace, resource.name) != before:
        resource.names.append(before)


def _documents(step: Step, entry: object, at: tuple[str | int, ...]) -> Iterator[Pair]:
    loader = step.builder.loader
    if isinstance(entry, str):
        # An entry of patchesStrategicMerge is a file, or the patch itself.
        if "\n" in entry or (":" in entry and not is_remote(entry)):
            yield from loader.inline(entry, step.path, step.place(*at))
        else:
            yield from loader.documents(loader.inside(step.folder, entry))
        return
    body = as_mapping(entry)
    if as_string(body.get("path")):
        yield from loader.documents(loader.inside(step.folder, body["path"]))
    elif as_string(body.get("patch")):
        if body["patch"].lstrip().startswith("[") and not _is_json(body["patch"]):
            raise BuildError("kustomize reads a patch that begins with `[` as JSON, which this one is not")
        yield from loader.inline(body["patch"], step.path, step.place(*at, "patch"))
    else:
        raise BuildError("a patch needs `path` or `patch`")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _merged(resources: list[Resource], patch: Pair, target: Body) -> list[Resource]:
    """Return the resources after a strategic merge, without the one that it deletes."""
    chosen = [item for item in resources if (selected(item, target) if target else _is_named(item, patch[0]))]
    if not chosen and not target:
        name = text_of(as_mapping(patch[0].get("metadata")).get("name"))
        raise BuildError(f"no {patch[0].get('kind')} `{name}` matches the patch")
    deleted: set[int] = set()
    for resource in chosen:
        name, namespace = resource.name, resource.namespace
        change = patch
        if target:
            change = _without_identity(patch)
        merged = strategic(resource.pair, change, resource.kind, resource.group)
        if merged is None:
            deleted.add(id(resource))
            continue
        resource.value, resource.places = merged
        if (resource.namespace, resource.name) != (namespace, name):
            resource.names.append((namespace, name))
    return [item for item in resources if id(item) not in deleted]


def _without_identity(patch: Pair) -> Pair:
    """Return a patch for a target without its own kind and name, which kustomize does not apply."""
    value = {key: item for key, item in patch[0].items() if key not in {"apiVersion", "kind"}}
    if isinstance(value.get("metadata"), dict):
        value["metadata"] = {key: item for key, item in value["metadata"].items() if key not in {"name", "namespace"}}
    return value, patch[1]


def _is_named(resource: Resource, patch: Body) -> bool:
    metadata = as_mapping(patch.get("metadata"))
    name, namespace = text_of(metadata.get("name")), text_of(metadata.get("namespace"))
    group = as_string(patch.get("apiVersion")).rpartition("/")[0]
    return (
        resource.kind == patch.get("kind")
        and resource.group == group
        and any(
            known == name and (of_it or "default") == (namespace or "default") for of_it, known in resource.known_names
        )
    )
