"""The kustomizations of an input: which include others, what they build, and what could not be built."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.documents import decryptable, shape_error
from vsr_compiler.verify.kustomization import program
from vsr_compiler.verify.kustomization.build import Builder, Problems
from vsr_compiler.verify.kustomization.causes import is_cause, restricted, without_effects
from vsr_compiler.verify.kustomization.fields import is_remote
from vsr_compiler.verify.kustomization.loader import GROUP, Loader, kustomization_in, normalised
from vsr_compiler.verify.kustomization.resource import BuildError, Resource
from vsr_compiler.verify.manifest import Body, Manifest, as_mapping, as_strings
from vsr_compiler.verify.stream import read_stream

_SELECTING = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


_PATCHES = frozenset({"patch", "patches"})
"""Names of folders with patches, used or not: those of kubebuilder's layout wait for a webhook."""
_PATCH_NAME = re.compile(r"(?i)(?:^|[._-])patch(?:es)?[._-]")
MAX_SECONDS = 120.0
"""Time of all runs of kubectl or kustomize together."""
_DOUBTED = frozenset({"VSR001", "VSR002", "VSR482"})
"""Errors of the own build that kubectl may know better."""


class Kustomizations:
    """Builds the kustomizations of a run."""

    def __init__(self, loader: Loader, namespace: str) -> None:
        self._loader = loader
        self._namespace = namespace
        self._builder = Builder(loader)
        self._seconds = MAX_SECONDS
        self._known: set[tuple[str, str]] = set()
        self.root: Path | None = None
        """The folder that is checked."""
        self._broken: set[Path] = set()
        """Folders whose build lacks a resource."""

    @property
    def visited(self) -> set[Path]:
        """The folders that were built, by themselves or for others."""
        return self._builder.visited

    def _bodies(self, folder: Path) -> list[Body]:
        path = kustomization_in(folder)
        try:
            return [as_mapping(value) for value, _ in self._loader.documents(path)] if path else []
        except CompileError:
            return []  # The build reports it.

    def is_component(self, folder: Path) -> bool:
        """Whether a kustomization only changes the resources of others."""
        return any(body.get("kind") == "Component" for body in self._bodies(folder))

    def included(self, folder: Path) -> list[Path]:
        """Return the folders that a kustomization includes."""
        return [
            normalised(folder / item).resolve()
            for body in self._bodies(folder)
            for key in ("resources", "bases", "components")
            for item in as_strings(body.get(key))
            if not is_remote(item) and (folder / item).is_dir()
        ]

    def built(self, folder: Path) -> list[Manifest]:
        """Return the objects of a kustomization, at the places in the files from which they come."""
        path = kustomization_in(folder)
        name = str(path or folder)
        before = len(self._loader.diagnostics)
        try:
            resources, problems = self._builder.build(folder)
        except BuildError as error:
            self._loader.diagnostics.append(Diagnostic("VSR482", str(error), Span(name), "Correct the kustomization."))
            self._broken.add(folder.resolve())
            return []
        except CompileError as error:
            self._loader.diagnostics += error.diagnostics
            self._broken.add(folder.resolve())
            return []
        new = self._loader.diagnostics[before:]
        doubted = [item for item in new if item.code in _DOUBTED]
        if self.is_component(folder):
            # Alone, its patches have nothing to change.
            self._loader.diagnostics[before:] = [item for item in new if item.code != "VSR482"]
            doubted = []
        self._known |= {(resource.kind, known) for resource in resources for _, known in resource.known_names}
        if (problems.unsupported or doubted) and not problems.left:
            outcome = self._by_program(folder, resources, problems, doubted)
            if outcome is not None:
                return outcome
        is_incomplete = bool(problems.left) or not self._broken.isdisjoint(self._below(folder))
        rest = self._loader.diagnostics[before:]
        kept = without_effects(rest, is_incomplete=is_incomplete)
        self._loader.diagnostics[before:] = restricted(kept, self.root)
        if is_incomplete or any(map(is_cause, rest)):
            self._broken.add(folder.resolve())
        self._report(problems, folder)
        return [manifest for resource in resources for manifest in self._checked(resource)]

    def _below(self, folder: Path) -> Iterator[Path]:
        """Yield the folders that a kustomization includes, and those that these include."""
        stack, seen = [folder], set[Path]()
        while stack:
            current = stack.pop()
            for each in self.included(current):
                if each not in seen:
                    seen.add(each)
                    stack.append(each)
                    yield each

    def _checked(self, resource: Resource) -> list[Manifest]:
        """Return a finished object, unless an API server could not even read it."""
        manifest = resource.manifest(self._namespace)
        if problem := shape_error(resource.value):
            hint = "Set apiVersion, kind and metadata.name."
            self._loader.diagnostics.append(Diagnostic("VSR431", problem, manifest.locate((), False), hint))  # noqa: FBT003
            return []
        if manifest.group == GROUP:
            return []
        body = decryptable(manifest.body)
        return [manifest if body is manifest.body else Manifest(body, manifest.locate, manifest.default_namespace)]

    def _by_program(
        self, folder: Path, resources: list[Resource], problems: Problems, doubted: list[Diagnostic]
    ) -> list[Manifest] | None:
        """Return the objects that kubectl or kustomize builds; None without them, or if they refuse as well.

        Args:
            folder: The folder of the kustomization, which needs nothing from elsewhere.
            resources: What the own build has.
            problems: What it cannot do.
            doubted: Its errors, which are dropped if the program builds the folder.
        """
        words = program.command()
        if words is None or self._seconds <= 0:
            return None
        began = time.monotonic()
        try:
            data = program.output(words, folder)
        except program.ProgramError as error:
            if not doubted:
                span = problems.unsupported[0][0]
                self._loader.diagnostics.append(Diagnostic("VSR482", f"it cannot be built: {error}", span, ""))
            return None
        finally:
            self._seconds -= time.monotonic() - began
        self._loader.diagnostics[:] = [item for item in self._loader.diagnostics if item not in doubted]
        found = read_stream(data, str(folder), self._loader.budget, self._loader.diagnostics, namespace=self._namespace)
        return [_placed(manifest, resources, str(kustomization_in(folder))) for manifest in found]

    def _report(self, problems: Problems, folder: Path) -> None:
        for entries, state in ((problems.unsupported, "not built: "), (problems.left, "not complete: ")):
            if entries:
                names = ", ".join(dict.fromkeys(name for _, name in entries))
                built = f"kubectl kustomize {shlex.quote(str(folder))} | vsr-compile verify -"
                hint = f"Check the output of kustomize: {built}"
                message = f"this kustomization is {state}{names}"
                self._loader.diagnostics.append(Diagnostic("VSR433", message, entries[0][0], hint))

    def is_patch(self, manifests: list[Manifest], path: Path) -> bool:
        """Whether a file beside a kustomization is a patch for one of its resources, not a manifest by itself."""
        if path.parent.name.lower() in _PATCHES or _PATCH_NAME.search(path.name):
            return bool(manifests)
        return bool(manifests) and all(
            (manifest.kind, manifest.name) in self._known
            and ("patch" in path.name.lower() or (manifest.kind in _SELECTING and not manifest.at("spec", "selector")))
            for manifest in manifests
        )


def _placed(manifest: Manifest, resources: list[Resource], kustomization: str) -> Manifest:
    """Return a built object at the place of the resource from which it comes, as far as the name shows it."""
    same = [item for item in resources if item.kind == manifest.kind]
    exact = [item for item in same if item.name == manifest.name]
    alike = exact or [item for item in same if any(name and name in manifest.name for _, name in item.known_names)]
    if not alike:
        return Manifest(manifest.body, lambda _path, _key: Span(kustomization), manifest.default_namespace)
    source = max(alike, key=lambda item: len(item.name)).manifest("")
    return Manifest(manifest.body, source.locate, manifest.default_namespace)
