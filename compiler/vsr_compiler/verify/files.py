"""Read manifests from files, folders and standard input. A kustomization is built, and what lies beside it is read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.verify.folders import Folder, scan
from vsr_compiler.verify.ignores import Comment, comments_of
from vsr_compiler.verify.kustomization.loader import GROUP, Loader
from vsr_compiler.verify.kustomizations import Kustomizations
from vsr_compiler.verify.limits import MAX_BYTES, REMEDY, Budget
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.placeholders import Marks, marks_of, may_have_placeholders
from vsr_compiler.verify.stream import composed_documents, read_stream
from vsr_compiler.verify.units import Unit
from vsr_compiler.verify.worlds import World, worlds_of

MAX_FILES = 20_000
_NAMED = 5
_OUTSIDE = "checked, although the kustomization does not include them"
_UNUSED = "not checked, since they look like patches that the kustomization does not apply"


@dataclass(slots=True)
class Read:
    """What was read.

    Attributes:
        worlds: The objects, in sets that are applied together.
        diagnostics: What is wrong with the files themselves.
        marks: Where files have placeholders of templates.
        comments: The ignores in files.
    """

    worlds: list[World] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    marks: dict[str, Marks] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)


def read_manifests(
    paths: Iterable[Path], is_generated: Callable[[Path], bool] = lambda _: False
) -> tuple[list[Manifest], list[Diagnostic]]:
    """Read the objects in files, folders and standard input (`-`). Return them with the errors of reading."""
    read = read_worlds(paths, is_generated)
    units = {id(unit): unit for world in read.worlds for unit in world.units}
    return [manifest for unit in units.values() for manifest in unit.manifests], read.diagnostics


def read_worlds(
    paths: Iterable[Path],
    is_generated: Callable[[Path], bool] = lambda _: False,
    *,
    namespace: str = "",
    separate: bool = False,
    skip: Callable[[Path], bool] = lambda _: False,
) -> Read:
    """Read the objects in files, folders and standard input (`-`), in sets that are applied together.

    Each file is read once, even if several paths lead to it.

    Args:
        paths: Files and folders.
        is_generated: Whether a file is generated, so that documents for other programs in it need no note.
        namespace: The namespace of objects that do not say in which they are.
        separate: Whether each file and each kustomization is a set of its own.
        skip: Whether a path inside a folder is left out.
    """
    reader = _Reader(is_generated, namespace, skip)
    named = [Unit(Path(path), reader.named(path)) for path in paths if str(path) == "-" or not path.is_dir()]
    folders = [path for path in paths if str(path) != "-" and path.is_dir()]
    units = [unit for path in folders for unit in reader.folder(path)]
    together = [
        World([*named, *world.units], is_separate=world.is_separate)
        for world in worlds_of(
            units, reader.diagnostics, separate=separate, root=folders[0] if len(folders) == 1 else None
        )
    ]
    if not units:
        together = worlds_of(named, reader.diagnostics, separate=True) if separate else [World(named)]
    return Read(together, with_one_note_per_folder(reader.diagnostics), reader.marks, reader.comments)


def with_one_note_per_folder(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics with one note for all documents of a folder that are no Kubernetes objects.

    A limit of the run is reported once, with the count of the files that it leaves out.
    """
    kept, folders, limits = [], dict[str, list[Diagnostic]](), dict[str, list[Diagnostic]]()
    for item in dict.fromkeys(diagnostics):
        if item.code == "VSR432":
            folders.setdefault(str(Path(item.span.file).parent), []).append(item)
        elif item.code == "VSR430":
            limits.setdefault(item.message, []).append(item)
        else:
            kept.append(item)
    for message, items in limits.items():
        count = len({item.span.file for item in items})
        kept.append(replace(items[0], message=f"{message}; {count} files are not checked") if count > 1 else items[0])
    for items in folders.values():
        names = sorted({Path(item.span.file).name for item in items})
        if len(names) > 1:
            message = f"skipped files that are not Kubernetes objects: {_listed(names)}"
            kept.append(replace(items[0], message=message, span=Span(str(Path(items[0].span.file).parent))))
        else:
            kept.append(items[0])
    return kept


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


class _Reader:
    """Reads paths within one budget."""

    def __init__(self, is_generated: Callable[[Path], bool], namespace: str, skip: Callable[[Path], bool]) -> None:
        self._is_generated = is_generated
        self._namespace = namespace
        self._skip = skip
        self.marks: dict[str, Marks] = {}
        self.comments: list[Comment] = []
        self.diagnostics: list[Diagnostic] = []
        self._budget = Budget()
        self._seen: set[Path] = set()
        self._loader = Loader(composed_documents, self._budget, self.diagnostics, self._note_source)
        self._kustomizations = Kustomizations(self._loader, namespace)

    def named(self, path: Path) -> list[Manifest]:
        """Return the objects of a file from the command line, or of standard input."""
        if str(path) == "-":
            return self._read_stream(sys.stdin.buffer.read(MAX_BYTES + 1), "-", strict=True)
        return self._read_file(path, strict=True)

    def folder(self, path: Path) -> Iterator[Unit]:
        """Return the units in a folder: each kustomization that no other includes, then each other file."""
        found = scan(path, self._skip, self.diagnostics)
        self._kustomizations.root = path
        for folder in self._roots(found):
            if self._is_new(folder):
                yield Unit(folder, self._kustomizations.built(folder), is_built=True)
        for chart in found.charts:
            message = "this Helm chart is not rendered, so its objects are not checked"
            hint = f"helm template {chart} | vsr-compile verify -"
            self.diagnostics.append(Diagnostic("VSR481", message, Span(str(chart)), hint, Severity.NOTE))
        if found.test_data:
            names = sorted(str(each.relative_to(path)) for each in found.test_data)
            message = f"not checked, since inputs of tests are often wrong on purpose: {_listed(names)}"
            hint = f"Name a folder to check it: vsr-compile verify {shlex.quote(str(path / names[0]))}"
            self.diagnostics.append(Diagnostic("VSR481", message, Span(str(path)), hint, Severity.NOTE))
        yield from self._beside(found)

    def _roots(self, found: Folder) -> Iterator[Path]:
        """Return the kustomizations that no other one includes; of a cycle, the first."""
        included = {each for folder in found.kustomizations for each in self._kustomizations.included(folder)}
        roots = [
            folder
            for folder in found.kustomizations
            if folder.resolve() not in included and not self._kustomizations.is_component(folder)
        ]
        yield from roots
        for folder in found.kustomizations:
            if folder.resolve() not in self._kustomizations.visited:
                yield folder

    def _beside(self, found: Folder) -> Iterator[Unit]:
        """Return the files that belong to no kustomization, and report which lie beside one."""
        outside: dict[Path, list[str]] = {}
        unused: dict[Path, list[str]] = {}
        for path in found.files:
            if path.resolve() in self._loader.read or not self._is_new(path, peek=True):
                continue
            home = next((up for up in path.parents if up in found.kustomization_set), None)
            manifests = self._read_file(path, strict=False)
            if home is not None and self._kustomizations.is_patch(manifests, path):
                unused.setdefault(home, []).append(path.name)
                continue
            if home is not None and manifests and not self._is_generated(path):
                outside.setdefault(home, []).append(path.name)
            if manifests:
                yield Unit(path, manifests)
        for names, what in ((outside, _OUTSIDE), (unused, _UNUSED)):
            for home, listed in names.items():
                message = f"{what}: {_listed(sorted(listed))}"
                hint = "Add them to the kustomization, or remove them."
                self.diagnostics.append(Diagnostic("VSR481", message, Span(str(home)), hint, Severity.NOTE))

    def _is_new(self, path: Path, *, peek: bool = False) -> bool:
        real = path.resolve()
        if real in self._seen or len(self._seen) >= MAX_FILES:
            return False
        if peek:
            return True
        self._seen.add(real)
        if len(self._seen) == MAX_FILES:
            self.diagnostics.append(Diagnostic("VSR430", f"more than {MAX_FILES:,} files", Span(str(path)), REMEDY))
        return True

    def _read_file(self, path: Path, *, strict: bool) -> list[Manifest]:
        if not self._is_new(path):
            return []
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            hint = "Check the path and its permissions."
            self.diagnostics.append(Diagnostic("VSR001", f"cannot be read: {reason}", Span(str(path)), hint))
            return []
        first_new = len(self.diagnostics)
        manifests = self._read_stream(data, str(path), strict=strict)
        if any(item.code == "VSR432" for item in self.diagnostics[first_new:]) and self._is_generated(path):
            # Generated output contains settings of the router and Helm values, which are expected.
            self.diagnostics[first_new:] = [item for item in self.diagnostics[first_new:] if item.code != "VSR432"]
        return manifests

    def _note_comments(self, data: bytes, name: str) -> None:
        if b"vsr-verify:" in data:
            self.comments += comments_of(data.decode("utf-8-sig", errors="replace"), name)

    def _note_source(self, data: bytes, name: str) -> None:
        """Remember the comments and placeholders in a file that a kustomization reads."""
        self._note_comments(data, name)
        if may_have_placeholders(data) and (marks := marks_of(data.decode("utf-8-sig", errors="replace"))).lines:
            self.marks[name] = marks

    def _read_stream(self, data: bytes, name: str, *, strict: bool) -> list[Manifest]:
        self._note_comments(data, name)
        found = read_stream(
            data,
            name,
            self._budget,
            self.diagnostics,
            strict=strict,
            namespace=self._namespace,
            marks=self.marks,
        )
        return [item for item in found if item.group != GROUP]
