"""Reads the files of a build, each once, within the limits that kustomize sets: no file outside its kustomization."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.kustomization.fields import is_remote
from vsr_compiler.verify.kustomization.places import BuiltPlaces, In, Places
from vsr_compiler.verify.kustomization.resource import BuildError, Pair, RemoteError, Resource, planted, text_of
from vsr_compiler.verify.limits import MAX_BYTES, Budget, spend_bytes
from vsr_compiler.verify.manifest import as_mapping

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
GROUP = "kustomize.config.k8s.io"
_FLUX = re.compile(rb"(?m)^apiVersion:[ \t]*[\"']?kustomize\.toolkit\.fluxcd\.io/")
_HEAD = 64 * 1024
Parse = Callable[[bytes, str, Budget], Any]


class Loader:
    """Reads files of kustomizations within a budget.

    Attributes:
        budget: The remaining limits.
        diagnostics: Receives errors of reading.
        read: The files that were read.
    """

    def __init__(
        self,
        parse: Parse,
        budget: Budget,
        diagnostics: list[Diagnostic],
        on_data: Callable[[bytes, str], None] = lambda _data, _name: None,
    ) -> None:
        self._parse = parse
        self._on_data = on_data
        self.budget = budget
        self.diagnostics = diagnostics
        self.read: set[Path] = set()
        self._documents: dict[Path, list[Pair]] = {}

    def inside(self, folder: Path, item: str) -> Path:
        """Return the path of a file that a kustomization names.

        Raises:
            BuildError: It is outside the folder, which kustomize refuses.
            RemoteError: It is an address.
        """
        path = normalised(folder / item)
        if is_remote(item) and not path.exists():
            raise RemoteError(item)
        if Path(item).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
            raise BuildError(f"`{item}` is not in or below the folder of the kustomization")
        return path

    def data(self, path: Path) -> bytes:
        """Return the content of a file.

        Raises:
            CompileError: It cannot be read.
        """
        self.read.add(path.resolve())
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            hint = "Check the path and its permissions."
            raise CompileError([Diagnostic("VSR001", f"cannot be read: {reason}", Span(str(path)), hint)]) from None
        spend_bytes(len(data), str(path), self.budget)
        self._on_data(data, str(path))
        return data

    def documents(self, path: Path) -> list[Pair]:
        """Return the documents of a file with their places.

        Raises:
            CompileError: The file cannot be read or is not valid.
        """
        real = path.resolve()
        if real not in self._documents:
            name = str(path)
            self._documents[real] = [
                (value, In(name, places)) for value, places in self._parse(self.data(path), name, self.budget)
            ]
        return self._documents[real]

    def inline(self, text: str, file: Path, place: Places) -> list[Pair]:
        """Return the documents of a text in a kustomization; all parts have the place of the text."""
        spend_bytes(len(text), str(file), self.budget)
        parsed = self._parse(text.encode(errors="replace"), str(file), self.budget)
        return [planted(value, place) for value, _ in parsed]

    def resources(self, path: Path) -> list[Resource]:
        """Return the objects of a file, lists opened. What kustomize refuses is reported and left out."""
        found: list[Resource] = []
        for value, places in self.documents(path):
            found += self._opened_list(value, places, str(path))
        return found

    def _opened_list(self, value: object, places: In, file: str) -> list[Resource]:
        if value is None or value == {}:
            return []
        body = as_mapping(value)
        inner = places.places
        if str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list):
            listed = zip(body["items"], inner[1]["items"][1][1], strict=True)
            return [
                resource for item, place in listed for resource in self._opened_list(item, In(places.name, place), file)
            ]
        if not isinstance(body.get("metadata"), dict) and not isinstance(body.get("kind"), str):
            problem = "this document is not a Kubernetes object"
        elif not isinstance(body.get("kind"), str):
            problem = "this document has no `kind`, so it is not a Kubernetes object"
        elif not text_of(as_mapping(body.get("metadata")).get("name")):
            problem = f"this {body['kind']} has no name, which kustomize refuses"
        else:
            return [Resource(body, places, file).copy()]
        span = BuiltPlaces(places, file).span((), key=False)
        self.diagnostics.append(Diagnostic("VSR431", problem, span, "Set apiVersion, kind and metadata.name."))
        return []


def normalised(path: Path) -> Path:
    """Return the path without `..`, unless symbolic links make that another file."""
    short = Path(os.path.normpath(path))
    return short if short.resolve() == path.resolve() else path


def kustomization_in(folder: Path) -> Path | None:
    """Return the kustomization of a folder; None if it has none.

    A Kustomization of Flux often has the same file name; it is an object, not a build.
    """
    path = next((folder / name for name in KUSTOMIZATIONS if (folder / name).is_file()), None)
    return None if path is None or _is_of_flux(path) else path


def _is_of_flux(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _FLUX.search(file.read(_HEAD)) is not None
    except OSError:
        return False  # Reading it reports the error.
