"""Build a kustomization in kustomize's order: resources, components, generators, then transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.verify.kustomization.addresses import refuse_addresses
from vsr_compiler.verify.kustomization.fields import PLUGINS, is_remote, unknown_fields
from vsr_compiler.verify.kustomization.generate import generated, name_hash
from vsr_compiler.verify.kustomization.loader import Loader, kustomization_in, normalised
from vsr_compiler.verify.kustomization.names import follow_names
from vsr_compiler.verify.kustomization.patching import apply_patches
from vsr_compiler.verify.kustomization.places import BuiltPlaces, In, Places
from vsr_compiler.verify.kustomization.replace import replaced
from vsr_compiler.verify.kustomization.resource import BuildError, NotSupportedError, RemoteError, Resource, put
from vsr_compiler.verify.kustomization.transform import (
    add_affixes,
    add_annotations,
    add_labels,
    set_image,
    set_namespace,
    set_replicas,
)
from vsr_compiler.verify.limits import REMEDY
from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings, as_string, as_strings

MAX_RESOURCES = 100_000
"""Resources of all builds of a run. Several kustomizations may use one base, and each has its own copy."""
MAX_NESTED = 50
_NOT_HERE = ("vars", *PLUGINS, "openapi")
Steps = tuple[str | int, ...]
Change = Callable[[], Any]
_IGNORED_ANNOTATION = "config.kubernetes.io/local-config"


@dataclass(slots=True)
class Problems:
    """What a build could not do.

    Attributes:
        unsupported: Place and name of what only kustomize itself can build.
        left: Place and name of what no build here includes: remote resources, Helm charts.
    """

    unsupported: list[tuple[Span, str]] = field(default_factory=list)
    left: list[tuple[Span, str]] = field(default_factory=list)


class Builder:
    """Builds kustomizations of a run.

    Attributes:
        visited: The folders that were built.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.visited: set[Path] = set()
        self._left = MAX_RESOURCES
        self._stack: list[Path] = []

    def build(self, folder: Path) -> tuple[list[Resource], Problems]:
        """Return the resources of a folder with a kustomization, as they would be applied."""
        problems = Problems()
        resources = self._accumulated(folder, [], problems)
        hashed = [item for item in resources if item.hashed or _annotation(item, "needs-hash") == "true"]
        for item in hashed:
            item.rename(name=f"{item.name}-{name_hash(item.value)}")
        if hashed:
            follow_names(resources)
        return [item for item in resources if _annotation(item, _IGNORED_ANNOTATION) in {"", "false"}], problems

    def _accumulated(self, folder: Path, above: list[Resource], problems: Problems) -> list[Resource]:
        """Return the resources of a kustomization; a component also changes those above it."""
        path = kustomization_in(folder)
        real = folder.resolve()
        if path is None:
            raise BuildError(f"`{folder}` contains no kustomization")
        if real in self._stack or len(self._stack) >= MAX_NESTED:
            raise BuildError(f"cycle: the kustomization in `{folder}` includes itself")
        self._stack.append(real)
        self.visited.add(real)
        resources = list(above)
        try:
            for value, places in self.loader.documents(path):
                body = as_mapping(value)
                resources = _Step(self, folder, path, body, places, problems).run(resources)
        except CompileError as error:
            self.loader.diagnostics += error.diagnostics
        finally:
            self._stack.pop()
        return resources

    def spend(self, count: int) -> None:
        """Take resources from the limit."""
        self._left -= count
        if self._left < 0:
            message = f"more than {MAX_RESOURCES:,} objects in all kustomizations"
            raise CompileError([Diagnostic("VSR430", message, Span(str(self._stack[-1])), REMEDY)])

    def nested(self, folder: Path, above: list[Resource], problems: Problems) -> list[Resource]:
        """Return the resources of a kustomization that another one includes."""
        return self._accumulated(folder, above, problems)


def _refuse_field(name: str, known: frozenset[str]) -> None:
    if name.lower() in {item.lower() for item in known}:
        # kustomize reads it all the same.
        raise NotSupportedError(f"the field `{name}` in this case")
    raise BuildError(f"unknown field `{name}`. {suggest(name, sorted(known))}".rstrip())


def _annotation(resource: Resource, name: str) -> str:
    annotations = as_mapping(as_mapping(resource.value.get("metadata")).get("annotations"))
    return as_string(annotations.get(name if "/" in name else f"kustomize.config.k8s.io/{name}"))


@dataclass(slots=True)
class _Step:
    """The build of one kustomization."""

    builder: Builder
    folder: Path
    path: Path
    body: Body
    places: Places
    problems: Problems

    def run(self, resources: list[Resource]) -> list[Resource]:
        """Return the resources after everything that the kustomization does."""
        self._check_fields()
        for name in ("helmCharts", "helmChartInflationGenerator"):
            if self.body.get(name):
                self.problems.left.append((self._span(name), f"{name} not rendered"))
        for name in ("resources", "bases"):
            for number, item in enumerate(as_strings(self.body.get(name))):
                resources = resources + self.guarded((name, number), partial(self._resource, item), [])
        for number, item in enumerate(as_strings(self.body.get("components"))):
            resources = self.guarded(("components", number), partial(self._component, item, resources), resources)
        resources = self._with_generated(resources)
        resources = apply_patches(self, resources, ("patchesStrategicMerge", "patches"))
        for path, change in self._transformers(resources):
            self.guarded(path, change, None)
        resources = apply_patches(self, resources, ("patchesJson6902",))
        for path, change in self._late_transformers(resources):
            self.guarded(path, change, None)
        follow_names(resources)
        return resources

    def _check_fields(self) -> None:
        for path, name, known in unknown_fields(self.body):
            self.guarded((*path, name), partial(_refuse_field, name, known), None)
        for name in _NOT_HERE:
            if self.body.get(name):
                self.problems.unsupported.append((self._span(name), name))
        for name, item in as_mapping(self.body.get("openapi")).items():
            self.guarded(("openapi", name), partial(self.builder.loader.inside, self.folder, str(item)), None)
        for name in PLUGINS:
            for number, item in enumerate(as_strings(self.body.get(name))):
                look = partial(refuse_addresses, self.builder.loader, item, self.folder)
                self.guarded((name, number), look, None)

    def _with_generated(self, resources: list[Resource]) -> list[Resource]:
        for kind in ("ConfigMap", "Secret"):
            key = f"{kind[0].lower()}{kind[1:]}Generator"
            for number, entry in enumerate(as_mappings(self.body.get(key))):
                change = partial(self._generated, kind, entry, (key, number), resources)
                resources = self.guarded((key, number), change, resources)
        return resources

    def _transformers(self, resources: list[Resource]) -> Iterator[tuple[Steps, Change]]:
        body = self.body
        if namespace := as_string(body.get("namespace")):
            yield ("namespace",), partial(set_namespace, resources, namespace)
        prefix, suffix = as_string(body.get("namePrefix")), as_string(body.get("nameSuffix"))
        yield ("namePrefix",), partial(add_affixes, resources, prefix, suffix)
        for number, entry in enumerate(as_mappings(body.get("labels"))):
            yield ("labels", number), partial(self._labels, resources, entry)
        if common := as_mapping(body.get("commonLabels")):
            for item in resources:
                yield ("commonLabels",), partial(add_labels, item, common, selectors=True, templates=True)
        if annotations := as_mapping(body.get("commonAnnotations")):
            for item in resources:
                yield ("commonAnnotations",), partial(add_annotations, item, annotations)

    def _late_transformers(self, resources: list[Resource]) -> Iterator[tuple[Steps, Change]]:
        for number, entry in enumerate(as_mappings(self.body.get("replicas"))):
            yield ("replicas", number), partial(set_replicas, resources, entry)
        for number, entry in enumerate(as_mappings(self.body.get("images"))):
            for item in resources:
                yield ("images", number), partial(set_image, item, entry)
        for number, entry in enumerate(as_mappings(self.body.get("replacements"))):
            yield ("replacements", number), partial(self._replacement, resources, entry)

    def _replacement(self, resources: list[Resource], entry: Body) -> None:
        if not entry.get("path"):
            replaced(resources, entry)
            return
        for value, _ in self.builder.loader.documents(self.builder.loader.inside(self.folder, str(entry["path"]))):
            for item in value if isinstance(value, list) else [value]:
                replaced(resources, as_mapping(item))

    def _labels(self, resources: list[Resource], entry: Body) -> None:
        if entry.get("fields"):
            raise NotSupportedError("labels with `fields`")
        pairs, selectors = as_mapping(entry.get("pairs")), bool(entry.get("includeSelectors"))
        for item in resources:
            add_labels(item, pairs, selectors=selectors, templates=bool(entry.get("includeTemplates")))

    def _resource(self, item: str) -> list[Resource]:
        if is_remote(item) and not (self.folder / item).exists():
            self.problems.left.append((self._span("resources"), f"{item} not fetched"))
            return []
        target = normalised(self.folder / item)
        if target.is_dir():
            if Path(item).is_absolute():
                raise BuildError(f"`{item}` is an absolute path")
            return self.builder.nested(target, [], self.problems)
        found = self.builder.loader.resources(self.builder.loader.inside(self.folder, item))
        self.builder.spend(len(found))
        return found

    def _component(self, item: str, resources: list[Resource]) -> list[Resource]:
        if is_remote(item) and not (self.folder / item).exists():
            self.problems.left.append((self._span("components"), f"{item} not fetched"))
            return resources
        return self.builder.nested(normalised(self.folder / item), resources, self.problems)

    def _generated(
        self, kind: str, entry: Body, path: tuple[str | int, ...], resources: list[Resource]
    ) -> list[Resource]:
        loader, options = self.builder.loader, as_mapping(self.body.get("generatorOptions"))

        def read(name: str) -> bytes:
            return loader.data(loader.inside(self.folder, name))

        made = generated(kind, entry, options, read, str(self.path), self.place(*path))
        behavior = as_string(entry.get("behavior"))
        if behavior not in {"merge", "replace"}:
            return [*resources, made]
        wanted = as_string(entry.get("name"))
        old = [item for item in resources if item.kind == kind and wanted in {name for _, name in item.known_names}]
        if len(old) != 1:
            raise BuildError(f"there is no {kind} `{wanted}` to {behavior}")
        for key in ("data", "binaryData"):
            content = as_mapping(made.value.get(key))
            if behavior == "merge":
                content = as_mapping(old[0].value.get(key)) | content
            if content:
                put(old[0].pair, (key,), content, self.place(*path))
        return resources

    def guarded(self, path: tuple[str | int, ...], change: Callable[[], Any], otherwise: Any) -> Any:  # noqa: ANN401
        """Return the result of a part of the build, or report why it has none."""
        try:
            return change()
        except RemoteError as error:
            self.problems.left.append((self._span(*path), f"{error} not fetched"))
        except BuildError as error:
            hint = "Correct it; `kubectl kustomize` refuses it as well."
            self.builder.loader.diagnostics.append(Diagnostic("VSR482", str(error), self._span(*path), hint))
        except NotSupportedError as error:
            self.problems.unsupported.append((self._span(*path), str(error)))
        except CompileError as error:
            self.builder.loader.diagnostics += error.diagnostics
        return otherwise

    def _span(self, *path: str | int) -> Span:
        return BuiltPlaces(self.places, str(self.path)).span(path, key=len(path) == 1)

    def place(self, *path: str | int) -> Places:
        """Return the place of a part of the kustomization."""
        name, places = self.places.name, self.places.places
        for step in path:
            inner = places[1][step]
            places = inner[1] if isinstance(step, str) else inner
        return In(name, places)
