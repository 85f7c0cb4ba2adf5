"""The fields that a kustomization may have: kustomize refuses others, and they may load files from elsewhere.

Source: `api/types` of kubernetes-sigs/kustomize 5.5 to 5.8 (kustomization.go, patch.go, selector.go, image.go,
replica.go, labels.go, generatorargs.go, kvpairsources.go, generatoroptions.go), read 2026-12.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings, as_string, as_strings

_TOP = frozenset(
    {
        "apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels",
        "labels", "commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "images", "imageTags",
        "replacements", "replicas", "vars", "sortOptions", "resources", "components", "crds", "bases",
        "configMapGenerator", "secretGenerator", "helmGlobals", "helmCharts", "helmChartInflationGenerator",
        "generatorOptions", "configurations", "generators", "transformers", "validators", "buildMetadata"
    }
)  # fmt: skip
_SELECTOR = frozenset({"group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"})
_PATCH = frozenset({"path", "patch", "target", "options"})
_OPTIONS = frozenset({"labels", "annotations", "disableNameSuffixHash", "immutable"})
_GENERATOR = frozenset({"namespace", "name", "behavior", "literals", "files", "envs", "env", "options"})
_ENTRIES = {
    "patches": _PATCH,
    "patchesJson6902": _PATCH,
    "images": frozenset({"name", "newName", "tagSuffix", "newTag", "digest"}),
    "replicas": frozenset({"name", "count"}),
    "labels": frozenset({"pairs", "includeSelectors", "includeTemplates", "fields"}),
    "configMapGenerator": _GENERATOR,
    "secretGenerator": _GENERATOR | {"type"},
    "replacements": frozenset({"path", "source", "targets"}),
}
_NESTED = {"target": _SELECTOR, "options": _OPTIONS}
PLUGINS = ("generators", "transformers", "validators", "configurations", "crds")
"""Files that only kustomize itself reads."""
LOADED = ("resources", "bases", "components", *PLUGINS)


def unknown_fields(body: Body) -> Iterator[tuple[tuple[str | int, ...], str, frozenset[str]]]:
    """Return path, name and what is allowed of each field that kustomize refuses, or writes in another case."""
    yield from _unknown(body, (), _TOP)
    for key, known in _ENTRIES.items():
        for number, entry in enumerate(as_mappings(body.get(key))):
            yield from _unknown(entry, (key, number), known)
            for name, inner in _NESTED.items():
                if name == "options" and known is _PATCH:
                    continue
                yield from _unknown(as_mapping(entry.get(name)), (key, number, name), inner)
    yield from _unknown(as_mapping(body.get("generatorOptions")), ("generatorOptions",), _OPTIONS)


def _unknown(
    body: Body, path: tuple[str | int, ...], known: frozenset[str]
) -> Iterator[tuple[tuple[str | int, ...], str, frozenset[str]]]:
    yield from ((path, name, known) for name in body if name not in known)


def is_remote(item: str) -> bool:
    """Whether an entry is a repository or an address, which no build here fetches."""
    return "://" in item or "?ref=" in item or "//" in item or item.startswith(("git@", "github.com/", "git::"))


def remote_entries(body: Body, folder: Path) -> list[str]:
    """Return what a kustomization loads from elsewhere, also as a patch, a generator's file or a replacement."""
    return [item for item in _loaded(body) if "\n" not in item and is_remote(item) and not (folder / item).exists()]


def _loaded(body: Body) -> Iterator[str]:
    for key in (*LOADED, "patchesStrategicMerge"):
        yield from as_strings(body.get(key))
    for key in ("patches", "patchesJson6902", "replacements"):
        yield from (as_string(entry.get("path")) for entry in as_mappings(body.get(key)))
    for key in ("configMapGenerator", "secretGenerator"):
        for entry in as_mappings(body.get(key)):
            for item in as_strings(entry.get("files")):
                yield item.partition("=")[2] or item
            yield from (*as_strings(entry.get("envs")), as_string(entry.get("env")))
    yield from (item for item in as_mapping(body.get("openapi")).values() if isinstance(item, str))
