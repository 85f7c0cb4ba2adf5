"""Find and read ``.vsr-verify.yaml``: the settings of a repository."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import use_one_of
from vsr_compiler.verify.documents import PlaceIndex
from vsr_compiler.verify.limits import Budget
from vsr_compiler.verify.stream import parse_documents
from vsr_schemas.verify_settings import VerifySettings

NAME = ".vsr-verify.yaml"
MAX_SIZE = 1024 * 1024
_MAX_UP = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run.

    Attributes:
        values: What the file says.
        path: The file; None without one.
        places: The places of its parts.
    """

    values: VerifySettings
    path: Path | None = None
    places: PlaceIndex | None = None

    @property
    def folder(self) -> Path:
        """The folder to which the settings apply."""
        return Path() if self.path is None else self.path.parent

    def excludes(self, path: Path) -> bool:
        """Whether a file or folder is left out: it is excluded, or is in none of `paths` and leads to none."""
        if any(matches(path, pattern, self.folder) for pattern in self.values.exclude):
            return True
        wanted = self.values.paths
        return bool(wanted) and not any(
            matches(path, pattern, self.folder) or (path.is_dir() and _leads_to(path, pattern, self.folder))
            for pattern in wanted
        )

    def span(self, *path: str | int) -> Span:
        """Return the place of a setting."""
        return self.places.span(path, key=False) if self.places else Span(str(self.path or NAME))


def matches(path: Path, pattern: str, folder: Path) -> bool:
    """Whether a path below a folder matches: `*` within a name, `**` for any folders, a folder for all in it."""
    parts = _below(path, folder)
    return parts is not None and _parts_match(parts, _parts(pattern))


def _below(path: Path, folder: Path) -> tuple[str, ...] | None:
    try:
        return path.resolve().relative_to(folder.resolve()).parts
    except ValueError:
        return None


def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.strip("/").split("/") if part != ".")


def _leads_to(path: Path, pattern: str, folder: Path) -> bool:
    """Whether something below a folder may match."""
    parts, wanted = _below(path, folder), _parts(pattern)
    if parts is None:
        # A folder above that of the settings.
        return folder.resolve().is_relative_to(path.resolve())
    for part, step in zip(parts, wanted, strict=False):
        if step == "**":
            return True
        if not Path(part).match(step or "*"):
            return False
    return len(parts) <= len(wanted)


def _parts_match(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Match by a table, so that work is the product of both lengths."""
    states = {0}
    for part in (*parts, None):
        reached = set(states)
        for state in sorted(states):
            while state < len(pattern) and pattern[state] == "**":
                state += 1  # noqa: PLW2901 - closure over `**`
                reached.add(state)
        if len(pattern) in reached:
            return True
        if part is None:
            return False
        states = {state for state in reached if state < len(pattern) and pattern[state] == "**"}
        states |= {
            state + 1
            for state in reached
            if state < len(pattern) and pattern[state] != "**" and Path(part).match(pattern[state] or "*")
        }
    return False


def find(paths: Iterable[Path]) -> Path | None:
    """Return the settings of the first path that has some: in its folder, or above it within the repository."""
    for path in paths:
        folder = Path.cwd() if str(path) == "-" else path.absolute()
        for up in [folder, *folder.parents][:_MAX_UP]:
            if (up / NAME).is_file():
                found = up / NAME
                return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
            if (up / ".git").exists():
                break
    return None


def read(path: Path | None) -> tuple[Settings, list[Diagnostic]]:
    """Return the settings of a file, and what is wrong with it."""
    nothing = Settings(VerifySettings(apiVersion="vsr.dev/verify/v1"))
    if path is None:
        return nothing, []
    try:
        return _parsed(path), []
    except CompileError as error:
        return nothing, error.diagnostics


def _parsed(path: Path) -> Settings:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise _invalid(f"cannot be read: {(error.strerror or '').lower()}", Span(str(path))) from None
    if len(data) > MAX_SIZE:
        raise _invalid("the file has more than 1 MiB", Span(str(path)))
    documents = list(parse_documents(data, str(path), Budget()))
    if len(documents) != 1:
        raise _invalid("the file has not exactly one document", Span(str(path)))
    value, places = documents[0]
    try:
        settings = Settings(VerifySettings.model_validate(value), path, places)
        for item in settings.values.ignore:
            item.last_day  # noqa: B018 - raises for a day that does not exist
    except ValidationError as error:
        raise CompileError(_problem(item, places) for item in error.errors()[:20]) from None
    except ValueError as error:
        raise _invalid(f"`expires`: {error}", places.span(("ignore",), key=True)) from None
    return settings


def _invalid(message: str, span: Span) -> CompileError:
    return CompileError([Diagnostic("VSR483", message, span, "Correct the file.")])


def _problem(item: object, places: PlaceIndex) -> Diagnostic:
    details = dict(item) if isinstance(item, dict) else {}
    where = tuple(step for step in details.get("loc", ()) if step != "[key]")
    name = ".".join(map(str, where))
    if details.get("type") == "extra_forbidden":
        hint = use_one_of(VerifySettings.model_fields) if len(where) == 1 else "Remove it."
        return Diagnostic("VSR483", f"unknown field `{name}`", places.span(where, key=True), hint)
    return Diagnostic("VSR483", f"`{name}`: {str(details.get('msg', '')).lower()}", places.span(where, key=False), "")
