"""What a folder contains: kustomizations, Helm charts, and other YAML files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.kustomization.loader import KUSTOMIZATIONS, kustomization_in
from vsr_compiler.verify.limits import REMEDY

_SUFFIXES = frozenset({".yaml", ".yml"})
_MAX_ENTRIES = 200_000
_TEST_DATA = frozenset(
    {"testdata", "test-data", "test_data", "fixtures", "test-fixtures", "test_fixtures", "__fixtures__"}
)
"""Names of folders whose files are inputs of a program's tests, often wrong on purpose. Go ignores `testdata`, too."""
_TESTS, _INPUTS = frozenset({"test", "tests", "testing", "testutils"}), frozenset({"data", "input", "inputs"})
"""Names of folders, and of those in them that are inputs as well."""


@dataclass(slots=True)
class Folder:
    """The contents of a folder, sorted.

    Attributes:
        kustomizations: Folders with a kustomization.
        charts: Folders of Helm charts.
        files: YAML files that are neither kustomizations nor in a chart.
        test_data: Folders with inputs of tests, which are left out.
    """

    kustomizations: list[Path] = field(default_factory=list)
    charts: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    test_data: list[Path] = field(default_factory=list)

    @property
    def kustomization_set(self) -> frozenset[Path]:
        """The folders with a kustomization."""
        return frozenset(self.kustomizations)


def scan(folder: Path, skip: Callable[[Path], bool], diagnostics: list[Diagnostic]) -> Folder:
    """Return what a folder and those below it contain. Links to folders and hidden entries are left out."""
    found, stack, entries = Folder(), [folder], 0
    while stack and entries < _MAX_ENTRIES:
        current = stack.pop()
        if (current / "Chart.yaml").is_file() and current.joinpath("templates").is_dir():
            found.charts += [] if skip(current / "Chart.yaml") else [current]
            continue
        home = kustomization_in(current)
        found.kustomizations += [] if home is None or skip(home) else [current]
        below = []
        for path in _children(current, diagnostics):
            entries += 1
            if skip(path):
                continue
            if path.is_dir() and (path.name in _TEST_DATA or (current.name in _TESTS and path.name in _INPUTS)):
                found.test_data.append(path)
            elif path.is_dir():
                below.append(path)
            elif path.suffix in _SUFFIXES and (home is None or path.name not in KUSTOMIZATIONS):
                found.files.append(path)
        stack += reversed(below)
    if stack:
        message = f"more than {_MAX_ENTRIES:,} files and folders: `{stack[-1]}` and later ones are not checked"
        diagnostics.append(Diagnostic("VSR430", message, Span(str(folder)), REMEDY))
    return found


def _children(folder: Path, diagnostics: list[Diagnostic]) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = "Check the path and its permissions."
        diagnostics.append(Diagnostic("VSR001", f"cannot be read: {reason}", Span(str(folder)), hint))
        return
    # Symbolic links to folders could form a cycle, or lead out of the folder.
    yield from (path for path in inside if not (path.is_symlink() and path.is_dir()) and path.name[0] != ".")
