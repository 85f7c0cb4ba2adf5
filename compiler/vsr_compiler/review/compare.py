"""Compares two trees: files that differ, and objects matched by identity in any folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from vsr_compiler.ir.hosts import COMPOSE
from vsr_compiler.manifests.hashed_names import without_hash
from vsr_compiler.manifests.yaml import Json
from vsr_compiler.review import output_yaml
from vsr_compiler.review.change_text import format_value
from vsr_compiler.review.field_diff import changes
from vsr_schemas.reports_diff import FieldChange, FileChange

_LOCAL = "local/"
_HOSTS = f"{COMPOSE}/"


@dataclass(frozen=True, slots=True)
class Pair:
    """A file on both sides, or on one. A side is None if it is missing or not YAML."""

    path: str
    old: Json
    new: Json
    change: str

    @property
    def body(self) -> Mapping[str, Any]:
        """The new object, or the old one if it is removed; empty if it is not an object."""
        body = self.new if self.new is not None else self.old
        return body if isinstance(body, dict) else {}

    @property
    def identity(self) -> str:
        """``Kind namespace/name``; empty if it is not an object."""
        return identity_of(self.body)


class Comparison:
    """An old tree and a new one. Files are parsed only if they differ."""

    def __init__(self, old: Mapping[str, bytes], new: Mapping[str, bytes], label: str) -> None:
        self._old, self._new, self._label = old, new, label
        self._read: dict[tuple[bool, str], Json] = {}

    @cached_property
    def pairs(self) -> list[Pair]:
        """The files that differ, by path. An object that only moved to another file is one pair.

        Raises:
            CompileError: VSR306 if an old file cannot be read.
        """
        removed = {path: self.old(path) for path in sorted(self._old.keys() - self._new.keys())}
        added = {path: self.new(path) for path in sorted(self._new.keys() - self._old.keys())}
        moved = {_key(path, body): path for path, body in removed.items() if identity_of(body)}
        pairs: list[Pair] = []
        for path, body in added.items():
            before = moved.get(_key(path, body)) if identity_of(body) else None
            old = removed.pop(before) if before is not None and before in removed else None
            pairs.append(Pair(path, old, body, "added" if old is None else "changed"))
        pairs += [Pair(path, body, None, "removed") for path, body in removed.items()]
        both = (path for path in self._old.keys() & self._new.keys() if self._old[path] != self._new[path])
        pairs += [Pair(path, self.old(path), self.new(path), "changed") for path in both]
        return sorted(pairs, key=lambda pair: pair.path)

    def old(self, path: str) -> Json:
        """Return the old document at a path; None if there is none."""
        return self._document(path, self._old, is_old=True)

    def new(self, path: str) -> Json:
        """Return the new document at a path; None if there is none."""
        return self._document(path, self._new, is_old=False)

    def content(self, path: str, *, old: bool) -> bytes | None:
        """Return the bytes of a file of one side; None if there is none."""
        return (self._old if old else self._new).get(path)

    def paths(self, *, old: bool) -> list[str]:
        """Return the file paths of one side."""
        return sorted(self._old if old else self._new)

    def bodies(self, names: set[str], *, old: bool) -> list[Mapping[str, Any]]:
        """Return the objects of one side in files with these names, in any folder."""
        side = self._old if old else self._new
        documents = (
            (self.old if old else self.new)(path) for path in sorted(side) if PurePosixPath(path).name in names
        )
        return [body for body in documents if isinstance(body, dict) and identity_of(body)]

    def _document(self, path: str, side: Mapping[str, bytes], *, is_old: bool) -> Json:
        if path not in side or not path.endswith(".yaml") or is_derived(path):
            return None
        if (is_old, path) not in self._read:
            label = f"{self._label}:{path}" if is_old else path
            self._read[is_old, path] = output_yaml.read(side[path], label)
        return self._read[is_old, path]


def is_derived(path: str) -> bool:
    """Return whether a file is derived from the rest: it is reported as changed, without comparing its content.

    Of a host that is everything but its Compose file.
    """
    return path.startswith(_LOCAL) or (path.startswith(_HOSTS) and not path.endswith("/compose.yaml"))


def file_changes(pairs: list[Pair]) -> Iterator[FileChange]:
    """Yield the pairs for the report, with long texts abbreviated."""
    for pair in pairs:
        fields: list[FieldChange] = []
        if pair.change == "changed" and pair.old is not None and pair.new is not None:
            fields = [_short(change) for change in changes(pair.old, pair.new)]
        yield FileChange.model_validate(
            {"file": pair.path, "identity": pair.identity, "change": pair.change, "fields": fields}
        )


def scope(path: str) -> str:
    """Return the base or overlay of a file. Identities are unique within one."""
    parts = path.split("/")
    depth = 3 if len(parts) > 2 and parts[1] == "overlays" else 2  # noqa: PLR2004 - <target>/overlays/<environment>
    return "/".join(parts[:depth][: len(parts) - 1])


def _short(change: FieldChange) -> FieldChange:
    return change.model_copy(update={"old": _brief(change.old), "new": _brief(change.new)})


def _brief(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _brief(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_brief(child) for child in value]
    return format_value(value) if isinstance(value, str) else value


def _key(path: str, body: Json) -> tuple[str, str, str]:
    """Return what two versions of an object have in common, though a new content changed its name."""
    version = str(body.get("apiVersion")) if isinstance(body, dict) else ""
    identity = identity_of(body)
    return (scope(path), version, without_hash(identity) if identity.startswith("ConfigMap ") else identity)


def identity_of(body: object) -> str:
    """Return ``Kind namespace/name``; empty for anything but an object."""
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict) or "$patch" in body:
        return ""
    metadata = body["metadata"]
    namespace = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{body.get('kind')} {namespace}{metadata.get('name')}"
