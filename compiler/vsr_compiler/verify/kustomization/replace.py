"""Replacements of a kustomization: a value of one resource is copied into fields of others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vsr_compiler.verify.kustomization.resource import BuildError, NotSupportedError, Resource, put, text_of
from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string, as_strings, value_at
from vsr_compiler.verify.plain_scalars import resolve_plain_scalar

_STEP = re.compile(r"(?:\[([^\]=]*)=([^\]]*)\]|\[([^\]]*)\]|((?:\\.|[^.\[\]])+))\.?")


def replaced(resources: list[Resource], entry: Body) -> None:
    """Apply one replacement.

    Raises:
        BuildError: Its source or a field does not exist.
    """
    source = as_mapping(entry.get("source"))
    found = [resource for resource in resources if matches(resource, source)]
    if len({id(item) for item in found}) != 1:
        raise BuildError(f"the source of a replacement matches {len(found)} resources, not one")
    path = as_string(source.get("fieldPath")) or "metadata.name"
    values = [value_at(found[0].value, *each) for each in _paths(found[0].value, path, create=False)]
    if not values:
        raise BuildError(f"the source of a replacement has no field `{path}`")
    value = _part(values[0], as_mapping(source.get("options")))
    for target in as_mappings(entry.get("targets")):
        select = as_mapping(target.get("select"))
        if not select:
            raise BuildError("a target of a replacement needs `select`")
        rejected = as_mappings(target.get("reject"))
        for resource in resources:
            if matches(resource, select) and not any(matches(resource, item) for item in rejected):
                _fill(resource, target, value)


def matches(resource: Resource, select: Body) -> bool:
    """Whether a resource has the kind, names, labels and annotations of a selector, now or before."""
    api = as_string(resource.value.get("apiVersion"))
    exact = {"group": resource.group, "version": api.rpartition("/")[2], "kind": resource.kind}
    if any(select.get(key) not in (None, "", value) for key, value in exact.items()):
        return False
    names = resource.known_names
    if select.get("name") and select["name"] not in {name for _, name in names}:
        return False
    if select.get("namespace") and select["namespace"] not in {namespace or "default" for namespace, _ in names}:
        return False
    if select.get("labelSelector") or select.get("annotationSelector"):
        raise NotSupportedError("a selector by labels in a replacement")
    return True


def _fill(resource: Resource, target: Body, value: object) -> None:
    options = as_mapping(target.get("options"))
    for text in as_strings(target.get("fieldPaths")) or ["metadata.name"]:
        paths = list(_paths(resource.value, text, create=bool(options.get("create"))))
        if not paths:
            raise BuildError(f"{resource.kind} `{resource.name}` has no field `{text}` for a replacement")
        for path in paths:
            new = value
            if options.get("delimiter"):
                new = _joined(as_string(value_at(resource.value, *path)), options, value)
            new = _of_type(value_at(resource.value, *path), new)
            if path in {("metadata", "name"), ("metadata", "namespace")}:
                resource.rename(**{str(path[-1]): str(new)})
            else:
                put(resource.pair, path, new)


def _of_type(old: object, new: object) -> object:
    """Return a scalar with the type of the one that it replaces, as kustomize writes it."""
    if isinstance(old, str) and isinstance(new, bool | int | float):
        return text_of(new)
    if isinstance(old, bool | int | float) and isinstance(new, str):
        return resolve_plain_scalar(new)
    return new


def _part(value: object, options: Body) -> object:
    delimiter = as_string(options.get("delimiter"))
    if not delimiter:
        return value
    parts, index = str(value).split(delimiter), options.get("index", 0)
    if not isinstance(index, int) or not 0 <= index < len(parts):
        raise BuildError(f"the source of a replacement has no part {index}")
    return parts[index]


def _joined(text: str, options: Body, value: object) -> str:
    delimiter, index = as_string(options.get("delimiter")), options.get("index", 0)
    parts = text.split(delimiter)
    if not isinstance(index, int):
        raise BuildError("the index of a replacement is not a number")
    if index < 0:
        parts.insert(0, str(value))
    elif index >= len(parts):
        parts.append(str(value))
    else:
        parts[index] = str(value)
    return delimiter.join(parts)


def _paths(value: Body, text: str, *, create: bool) -> Iterable[Path]:
    """Return the paths in an object that a field path of kustomize means."""
    if "*" in text and "[=" in text:
        raise NotSupportedError("a field path with a pattern")
    steps: list[tuple[str, str, str]] = []
    position = 1 if text.startswith(".") else 0
    while position < len(text):
        found = _STEP.match(text, position)
        if not found or found.end() == position:
            raise NotSupportedError(f"the field path `{text}`")
        if found[1] is not None:
            steps.append(("where", found[1], found[2]))
        else:
            name = found[3] if found[3] is not None else found[4].replace("\\.", ".")
            steps.append(("step", name, ""))
        position = found.end()
    return list(_walk(value, (), steps, create=create))


def _walk(value: object, path: Path, steps: list[tuple[str, str, str]], *, create: bool) -> Iterator[Path]:
    if not steps:
        yield path
        return
    (form, name, wanted), rest = steps[0], steps[1:]
    if isinstance(value, list):
        for number, item in enumerate(value):
            chosen = (
                (str(as_mapping(item).get(name)) == wanted if name else str(item) == wanted)
                if form == "where"
                else name in {"*", str(number)}
            )
            if chosen:
                yield from _walk(item, (*path, number), rest, create=create)
    elif isinstance(value, dict) and form == "step" and name in value:
        yield from _walk(value[name], (*path, name), rest, create=create)
    elif create and form == "step" and isinstance(value, dict):
        if any(kind == "where" for kind, _, _ in rest):
            raise NotSupportedError("a replacement that creates a list")
        yield (*path, name, *(step for _, step, _ in rest))
