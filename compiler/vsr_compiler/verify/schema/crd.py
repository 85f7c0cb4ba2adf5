"""CustomResourceDefinitions in files: found by a look at their text, read in full only when one is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.verify.manifest import Body, rows, table, text
from vsr_compiler.verify.schema.node import Node
from vsr_compiler.verify.stream import Budget, documents

MAX_FILE = 16 * 1024 * 1024
MAX_FILES = 5_000
MAX_TOTAL = 256 * 1024 * 1024
_SPLIT = re.compile(rb"(?m)^---(?=[ \t\r\n]|\Z)")
_GROUP = re.compile(rb"(?m)^  group: *[\"']?([A-Za-z0-9.-]+)")
_KIND = re.compile(rb"(?m)^    kind: *[\"']?([A-Za-z0-9]+)")
_MARK = b"CustomResourceDefinition"
_RELEASE = re.compile(r"(.+?)-v?(\d+(?:\.\d+)+(?:-[A-Za-z0-9.]+)?)")


@dataclass(frozen=True)
class Version:
    """One version of a kind."""

    raw: Body

    @property
    def name(self) -> str:
        """Such as `v1`."""
        return text(self.raw.get("name"))

    @property
    def served(self) -> bool:
        """Whether an API server takes it."""
        return self.raw.get("served") is not False

    @property
    def deprecation(self) -> str:
        """What is said where it is deprecated; else empty."""
        default = "it is deprecated"
        return text(self.raw.get("deprecationWarning")) or default if self.raw.get("deprecated") is True else ""

    @property
    def drops_status(self) -> bool:
        """Whether a status in a manifest is ignored."""
        return "status" in table(self.raw.get("subresources"))

    @cached_property
    def node(self) -> Node:
        """Its schema."""
        return Node(table(table(self.raw.get("schema")).get("openAPIV3Schema")), top=True)


@dataclass(frozen=True, eq=False)
class Document:
    """One document of a file that mentions a CustomResourceDefinition.

    Attributes:
        file: Where it is.
        data: Its text.
        keys: Group and kind as far as a look at the text tells them.
        project: The project that it is of, by the name of a folder above it, such as `gateway-api`.
        release: That project's release, likewise; empty where no folder says it.
        channel: `standard` or `experimental` where a folder says so.
        budget: What reading it may cost.
    """

    file: Path
    data: bytes
    keys: tuple[str, str]
    project: str
    release: str
    channel: str
    budget: Budget

    @property
    def source(self) -> str:
        """How messages call where it comes from."""
        return f"{self.project} {self.release}" if self.release else str(self.file.parent)

    @cached_property
    def definitions(self) -> list[Body]:
        """What it defines.

        Raises:
            CompileError: It is no YAML, or over a limit.
        """
        found = [table(value) for value, _ in documents(self.data, str(self.file), self.budget)]
        found = [item for each in found for item in (rows(each["items"]) if "items" in each else [each])]
        return [table(each.get("spec")) for each in found if each.get("kind") == "CustomResourceDefinition"]

    @cached_property
    def versions(self) -> dict[tuple[str, str], dict[str, Version]]:
        """Its versions by group and kind, then by name."""
        found: dict[tuple[str, str], dict[str, Version]] = {}
        for spec in self.definitions:
            key = (text(spec.get("group")), text(table(spec.get("names")).get("kind")))
            found[key] = {text(each.get("name")): Version(each) for each in rows(spec.get("versions"))}
        return found

    def may_define(self, group: str, kind: str) -> bool:
        """Whether it is worth reading for a kind."""
        if all(self.keys):
            return self.keys == (group, kind)
        return group.encode() in self.data and kind.encode() in self.data


def scan(given: Path, budget: Budget, failed: list[tuple[Path, str]]) -> Iterator[Document]:
    """The documents in a file or below a folder that define kinds.

    Args:
        given: The file or folder.
        budget: What reading those that are needed may cost.
        failed: Takes what cannot be read, with the reason.
    """
    total = 0
    for number, path in enumerate(_files(given)):
        if number >= MAX_FILES or total > MAX_TOTAL:
            failed.append((given, f"more than {MAX_FILES:,} files or {MAX_TOTAL // 1024 // 1024} MiB"))
            return
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            failed.append((path, (error.strerror or type(error).__name__).lower()))
            continue
        total += len(data)
        if len(data) > MAX_FILE:
            failed.append((path, f"more than {MAX_FILE // 1024 // 1024} MiB"))
        elif _MARK in data:
            yield from _documents(path, data, given, budget)


def _files(given: Path) -> Iterator[Path]:
    """The file, or those below the folder, sorted; links to folders are not followed."""
    if not given.is_dir():
        yield given
        return
    for number, (folder, inside, names) in enumerate(os.walk(given)):
        if number > MAX_FILES:
            return
        inside.sort()
        yield from (Path(folder, name) for name in sorted(names) if name.endswith((".yaml", ".yml", ".json")))


def _documents(path: Path, data: bytes, given: Path, budget: Budget) -> Iterator[Document]:
    project, release, channel = placed(path, given)
    for part in _SPLIT.split(data):
        count = part.count(_MARK)
        if not count:
            continue
        group, kind = _GROUP.search(part), _KIND.search(part)
        keys = ("", "")
        if count == 1 and group is not None and kind is not None:
            keys = (group[1].decode(), kind[1].decode())
        yield Document(path, part, keys, project, release, channel, budget)


def placed(path: Path, given: Path) -> tuple[str, str, str]:
    """Project, release and channel of a file, by the folders that it is in, up to the one that was given."""
    channel = ""
    for folder in path.resolve().parents:
        if folder.name in {"standard", "experimental"}:
            channel = channel or folder.name
        match = _RELEASE.fullmatch(folder.name)
        if match is not None:
            return match[1], match[2], channel
        if folder == given.resolve():
            break
    return path.parent.name, "", channel


def readable(document: Document) -> str:
    """Why a document cannot be read; empty where it can."""
    try:
        _ = document.versions
    except CompileError as error:
        return error.diagnostics[0].message
    return ""
