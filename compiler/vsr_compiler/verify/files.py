"""Read manifests from files, folders and standard input. A kustomization is read with its resources and patches."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.kustomize import with_patch
from vsr_compiler.verify.manifest import Body, Manifest, as_mapping, as_mappings, as_string, as_strings
from vsr_compiler.verify.placeholders import Marks
from vsr_compiler.verify.stream import MAX_BYTES, Budget, parse_documents, read_stream

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KUSTOMIZE = "kustomize.config.k8s.io"
MAX_FILES = 20_000
_UNSUPPORTED_FIELDS = (
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


def read_manifests(
    paths: Iterable[Path],
    is_generated: Callable[[Path], bool] = lambda _: False,
    *,
    namespace: str = "",
    marks: dict[str, Marks] | None = None,
) -> tuple[list[Manifest], list[Diagnostic]]:
    """Read the objects in files, folders and standard input (`-`). Return them with the errors of reading.

    Each file is read once, even if several paths lead to it.

    Args:
        paths: Files and folders.
        is_generated: Whether a file is generated, so that documents for other programs in it need no note.
        namespace: The namespace of objects that do not say in which they are.
        marks: Receives where files have placeholders of templates.
    """
    reader = _Reader(is_generated, namespace, {} if marks is None else marks)
    for path in paths:
        reader.read(path)
    return reader.manifests, with_one_note_per_folder(reader.diagnostics)


def with_one_note_per_folder(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics with one note for all documents of a folder that are no Kubernetes objects."""
    kept, folders = [], dict[str, list[Diagnostic]]()
    for item in diagnostics:
        if item.code == "VSR432":
            folders.setdefault(str(Path(item.span.file).parent), []).append(item)
        else:
            kept.append(item)
    for items in folders.values():
        names = sorted({Path(item.span.file).name for item in items})
        if len(names) > 1:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            message = f"skipped files that are not Kubernetes objects: {', '.join(names[:_NAMED])}{more}"
            kept.append(replace(items[0], message=message, span=Span(str(Path(items[0].span.file).parent))))
        else:
            kept.append(items[0])
    return kept


_NAMED = 5


def _normalised(path: Path) -> Path:
    """Return the path without `..`, unless symbolic links make that another file."""
    normalised = Path(os.path.normpath(path))
    return normalised if normalised.resolve() == path.resolve() else path


class _Reader:
    """Reads paths within one budget."""

    def __init__(self, is_generated: Callable[[Path], bool], namespace: str, marks: dict[str, Marks]) -> None:
        self._is_generated = is_generated
        self._namespace = namespace
        self._marks = marks
        self.manifests: list[Manifest] = []
        self.diagnostics: list[Diagnostic] = []
        self._budget = Budget()
        self._seen: set[Path] = set()

    def read(self, path: Path) -> None:
        """Read a path from the command line."""
        if str(path) == "-":
            self._read_stream(sys.stdin.buffer.read(MAX_BYTES + 1), "-", strict=True)
        elif path.is_dir():
            self._read_folder(path)
        else:
            self._read_file(path, strict=True)

    def _is_new(self, path: Path) -> bool:
        real = path.resolve()
        if real in self._seen or len(self._seen) >= MAX_FILES:
            return False
        self._seen.add(real)
        if len(self._seen) == MAX_FILES:
            hint = "Check the manifests in several runs."
            self.diagnostics.append(Diagnostic("VSR430", f"more than {MAX_FILES:,} files", Span(str(path)), hint))
        return True

    def _read_folder(self, folder: Path) -> None:
        kustomization = next((folder / name for name in KUSTOMIZATIONS if (folder / name).is_file()), None)
        if kustomization is not None:
            if self._is_new(folder):
                self._read_resources(kustomization)
            return
        for path in self._children(folder):
            if path.is_dir():
                self._read_folder(path)
            elif path.suffix in {".yaml", ".yml"}:
                self._read_file(path, strict=False)

    def _children(self, folder: Path) -> Iterator[Path]:
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            self._report_unreadable(folder, error)
            return
        # Symbolic links to folders could form a cycle, or lead out of the folder.
        yield from (path for path in inside if not (path.is_symlink() and path.is_dir()) and path.name[0] != ".")

    def _read_file(self, path: Path, *, strict: bool) -> None:
        if not self._is_new(path):
            return
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            self._report_unreadable(path, error)
            return
        first_new = len(self.diagnostics)
        self._read_stream(data, str(path), strict=strict)
        if any(item.code == "VSR432" for item in self.diagnostics[first_new:]) and self._is_generated(path):
            # Generated output contains settings of the router and Helm values, which are expected.
            self.diagnostics[first_new:] = [item for item in self.diagnostics[first_new:] if item.code != "VSR432"]

    def _read_stream(self, data: bytes, name: str, *, strict: bool) -> None:
        objects_of_stream = read_stream(
            data,
            name,
            self._budget,
            self.diagnostics,
            strict=strict,
            namespace=self._namespace,
            marks=self._marks,
        )
        self.manifests += [item for item in objects_of_stream if item.group != KUSTOMIZE]

    def _report_unreadable(self, path: Path, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        self.diagnostics.append(
            Diagnostic("VSR001", f"cannot be read: {reason}", Span(str(path)), "Check the path and its permissions.")
        )

    def _read_resources(self, path: Path) -> None:
        """Read the resource files of a kustomization and apply its patches. Report what is not supported."""
        for body in self._bodies(path):
            start = len(self.manifests)
            remote = [item for item in as_strings(body.get("resources")) if "://" in item or "?ref=" in item]
            for item in [*as_strings(body.get("bases")), *as_strings(body.get("resources"))]:
                if item in remote:
                    continue
                target = _normalised(path.parent / item)
                if target.is_dir():
                    self._read_folder(target)
                else:
                    self._read_file(target, strict=True)
            all_applied = self._apply_patches(body, path, start)
            unsupported = [
                name for name in _UNSUPPORTED_FIELDS if body.get(name) and not (all_applied and name == "patches")
            ]
            for names, participle in ((unsupported, "applied"), (remote, "fetched")):
                if names:
                    message = f"this kustomization is not built: {', '.join(names)} not {participle}"
                    folder = shlex.quote(str(path.parent))
                    hint = f"Check the output of kustomize: kubectl kustomize {folder} | vsr-compile verify -"
                    self.diagnostics.append(Diagnostic("VSR433", message, Span(str(path)), hint))

    def _apply_patches(self, body: Body, path: Path, start: int) -> bool:
        """Apply the patches to the objects from ``start`` on, if all of them are supported."""
        manifests = self.manifests[start:]
        for entry in as_mappings(body.get("patches")):
            file = path.parent / as_string(entry.get("path"))
            patch = next(self._read_documents(file), (None, None))[0] if file.is_file() else None
            result = with_patch(manifests, entry, patch)
            if result is None:
                return False
            manifests = result
        self.manifests[start:] = manifests
        return True

    def _bodies(self, path: Path) -> Iterator[Body]:
        """Return the mappings of a kustomization, which may lack apiVersion, kind and name."""
        yield from (as_mapping(value) for value, _ in self._read_documents(path))

    def _read_documents(self, path: Path) -> Iterator[tuple[Any, Any]]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            yield from parse_documents(data, str(path), self._budget)
        except OSError as error:
            self._report_unreadable(path, error)
        except CompileError as error:
            self.diagnostics += error.diagnostics
