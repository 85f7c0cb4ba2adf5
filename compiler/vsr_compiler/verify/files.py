"""Files and folders to streams. A folder with a kustomization stands for its resource files, with patches like ours."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.verify.kustomize import patched
from vsr_compiler.verify.manifest import Body, Manifest, rows, table, text, texts
from vsr_compiler.verify.stream import MAX_BYTES, Budget, documents, objects

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KUSTOMIZE = "kustomize.config.k8s.io"
MAX_FILES = 20_000
_CHANGES = (
    "components",
    "generators",
    "transformers",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "configMapGenerator",
    "secretGenerator",
    "images",
    "replicas",
    "helmCharts",
)


def read(given: Iterable[Path]) -> tuple[list[Manifest], list[Diagnostic]]:
    """The objects in files, folders and standard input (`-`), and what is wrong with reading them.

    A file that several folders lead to is read once.
    """
    reader = _Reader()
    for path in given:
        reader.take(path)
    return reader.manifests, reader.found


def _of_ours(path: Path) -> bool:
    return any((parent / LOCK).is_file() for parent in path.resolve().parents)


def _plain(path: Path) -> Path:
    """The path without `..`, where that leads to the same place."""
    plain = Path(os.path.normpath(path))
    return plain if plain.resolve() == path.resolve() else path


class _Reader:
    """Walks what was given within one budget."""

    def __init__(self) -> None:
        self.manifests: list[Manifest] = []
        self.found: list[Diagnostic] = []
        self._budget = Budget()
        self._seen: set[Path] = set()

    def take(self, path: Path) -> None:
        """A path that a person named."""
        if str(path) == "-":
            self._stream(sys.stdin.buffer.read(MAX_BYTES + 1), "-", strict=True)
        elif path.is_dir():
            self._folder(path)
        else:
            self._file(path, strict=True)

    def _new(self, path: Path) -> bool:
        real = path.resolve()
        if real in self._seen or len(self._seen) >= MAX_FILES:
            return False
        self._seen.add(real)
        if len(self._seen) == MAX_FILES:
            hint = "Check the manifests in several runs."
            self.found.append(Diagnostic("VSR430", f"more than {MAX_FILES:,} files", Span(str(path)), hint))
        return True

    def _folder(self, folder: Path) -> None:
        kustomization = next((folder / name for name in KUSTOMIZATIONS if (folder / name).is_file()), None)
        if kustomization is not None:
            if self._new(folder):
                self._resources(kustomization)
            return
        for path in self._inside(folder):
            if path.is_dir():
                self._folder(path)
            elif path.suffix in {".yaml", ".yml"}:
                self._file(path, strict=False)

    def _inside(self, folder: Path) -> Iterator[Path]:
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            self._unreadable(folder, error)
            return
        # A link to a folder could lead round in a circle, and out of what was given.
        yield from (path for path in inside if not (path.is_symlink() and path.is_dir()) and path.name[0] != ".")

    def _file(self, path: Path, *, strict: bool) -> None:
        if not self._new(path):
            return
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            self._unreadable(path, error)
            return
        before = len(self.found)
        self._stream(data, str(path), strict=strict)
        if any(item.code == "VSR432" for item in self.found[before:]) and _of_ours(path):
            # A compile wrote it for our own programs or for Helm; who checks the whole output knows that.
            self.found[before:] = [item for item in self.found[before:] if item.code != "VSR432"]

    def _stream(self, data: bytes, name: str, *, strict: bool) -> None:
        read_here = objects(data, name, self._budget, self.found, strict=strict)
        self.manifests += [each for each in read_here if each.group != KUSTOMIZE]

    def _unreadable(self, path: Path, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        self.found.append(Diagnostic("VSR001", f"cannot be read: {reason}", Span(str(path)), "Check the path."))

    def _resources(self, path: Path) -> None:
        """The resource files that a kustomization names, patched, and a note about what else it would change."""
        for body in self._bodies(path):
            start = len(self.manifests)
            remote = [each for each in texts(body.get("resources")) if "://" in each or "?ref=" in each]
            for each in [*texts(body.get("bases")), *texts(body.get("resources"))]:
                if each in remote:
                    continue
                target = _plain(path.parent / each)
                if target.is_dir():
                    self._folder(target)
                else:
                    self._file(target, strict=True)
            done = self._patched(body, path, start)
            changes = [name for name in _CHANGES if body.get(name) and not (done and name == "patches")]
            for left_out, what in ((changes, "applied"), (remote, "fetched")):
                if left_out:
                    message = f"this kustomization is not built: {', '.join(left_out)} not {what}"
                    folder = shlex.quote(str(path.parent))
                    hint = f"Check what is applied: kubectl kustomize {folder} | vsr-compile verify -"
                    self.found.append(Diagnostic("VSR433", message, Span(str(path)), hint))

    def _patched(self, body: Body, path: Path, start: int) -> bool:
        """Apply the patches to the objects from ``start`` on, if every one of them is such as ours are."""
        found = self.manifests[start:]
        for entry in rows(body.get("patches")):
            file = path.parent / text(entry.get("path"))
            patch = next(self._documents(file), (None, None))[0] if file.is_file() else None
            after = patched(found, entry, patch)
            if after is None:
                return False
            found = after
        self.manifests[start:] = found
        return True

    def _bodies(self, path: Path) -> Iterator[Body]:
        """The kustomization's mapping; it may go without apiVersion, kind and name."""
        yield from (table(value) for value, _ in self._documents(path))

    def _documents(self, path: Path) -> Iterator[tuple[Any, Any]]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            yield from documents(data, str(path), self._budget)
        except OSError as error:
            self._unreadable(path, error)
        except CompileError as error:
            self.found += error.diagnostics
