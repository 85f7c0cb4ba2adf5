"""CustomResourceDefinitions in files: located by a text search, and parsed only when needed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings, as_string
from vsr_compiler.verify.schema.node import Node
from vsr_compiler.verify.stream import Budget, parse_documents

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
        """The name, such as `v1`."""
        return as_string(self.raw.get("name"))

    @property
    def served(self) -> bool:
        """Whether an API server accepts it."""
        return self.raw.get("served") is not False

    @property
    def deprecation(self) -> str:
        """The deprecation warning; empty if it is not deprecated."""
        default = "this version is deprecated"
        return as_string(self.raw.get("deprecationWarning")) or default if self.raw.get("deprecated") is True else ""

    @property
    def drops_status(self) -> bool:
        """Whether an API server ignores `status` in a manifest."""
        return "status" in as_mapping(self.raw.get("subresources"))

    @cached_property
    def node(self) -> Node:
        """The schema."""
        return Node(as_mapping(as_mapping(self.raw.get("schema")).get("openAPIV3Schema")), top=True)


@dataclass(frozen=True, eq=False)
class Document:
    """One document of a file that mentions a CustomResourceDefinition.

    Attributes:
        file: The file.
        data: The text of the document.
        keys: Group and kind according to a text search; empty strings if the search is not conclusive.
        project: The project, by the name of a parent folder such as `gateway-api-v1.5.1`.
        release: The project's release, by the same name; empty if no parent folder has one.
        channel: `standard` or `experimental`, by the name of a parent folder; otherwise empty.
        budget: The budget for parsing.
        known: Returns the definitions of a file that was parsed before; None if it was not.
    """

    file: Path
    data: bytes
    keys: tuple[str, str]
    project: str
    release: str
    channel: str
    budget: Budget
    known: Callable[[], list[Body]] | None = None

    @property
    def source(self) -> str:
        """Its origin in messages."""
        if self.release:
            return f"{self.project} {self.release}"
        return str(self.file.parent if self.project else self.file)

    @cached_property
    def definitions(self) -> list[Body]:
        """The specs of the CustomResourceDefinitions in it.

        Raises:
            CompileError: It is not valid YAML, or exceeds a limit.
        """
        if self.known is not None:
            return self.known()
        result = [as_mapping(value) for value, _ in parse_documents(self.data, str(self.file), self.budget)]
        result = [item for item in result for item in (as_mappings(item["items"]) if "items" in item else [item])]
        return [as_mapping(item.get("spec")) for item in result if item.get("kind") == "CustomResourceDefinition"]

    @cached_property
    def versions(self) -> dict[tuple[str, str], dict[str, Version]]:
        """The versions of each kind by group and kind, then by name."""
        result: dict[tuple[str, str], dict[str, Version]] = {}
        for spec in self.definitions:
            key = (as_string(spec.get("group")), as_string(as_mapping(spec.get("names")).get("kind")))
            result[key] = {as_string(item.get("name")): Version(item) for item in as_mappings(spec.get("versions"))}
        return result

    def may_define(self, group: str, kind: str) -> bool:
        """Whether it may define a kind, so that it must be parsed."""
        if all(self.keys):
            return self.keys == (group, kind)
        return group.encode() in self.data and kind.encode() in self.data


def of_input(body: Body, file: str, budget: Budget) -> Document | None:
    """Return the definition that an object of the input is; None if it is not one, or has no schema."""
    spec = as_mapping(body.get("spec"))
    versions = as_mappings(spec.get("versions"))
    group, kind = as_string(spec.get("group")), as_string(as_mapping(spec.get("names")).get("kind"))
    if body.get("kind") != "CustomResourceDefinition" or not (group and kind and versions):
        return None
    if any(not as_mapping(as_mapping(version.get("schema")).get("openAPIV3Schema")) for version in versions):
        return None
    data = json.dumps(spec, sort_keys=True, default=str).encode()
    document = Document(Path(file), data, (group, kind), "", "", "", budget)
    # It is parsed already; the cached property takes the value.
    document.__dict__["definitions"] = [spec]
    return document


Parsed = Callable[[bytes], Callable[[], list[Body]] | None]
"""Finds what a file gives if it is parsed, by its bytes; None if that is not known."""


def scan(
    root: Path, budget: Budget, unreadable: list[tuple[Path, str]], parsed: Parsed = lambda _data: None
) -> Iterator[Document]:
    """Return the documents in a file or folder that may define kinds.

    Args:
        root: The file or folder.
        budget: The budget for parsing.
        unreadable: Receives files that cannot be read, with the reason.
        parsed: Finds definitions that were parsed before.
    """
    total = 0
    for number, path in enumerate(_files(root)):
        if number >= MAX_FILES or total > MAX_TOTAL:
            unreadable.append((root, f"more than {MAX_FILES:,} files or {MAX_TOTAL // 1024 // 1024} MiB"))
            return
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            unreadable.append((path, (error.strerror or type(error).__name__).lower()))
            continue
        total += len(data)
        if len(data) > MAX_FILE:
            unreadable.append((path, f"more than {MAX_FILE // 1024 // 1024} MiB"))
        elif _MARK in data:
            yield from _documents(path, data, root, budget, parsed(data))


def _files(root: Path) -> Iterator[Path]:
    """Return the file, or the files below the folder, sorted. Symbolic links to folders are not followed."""
    if not root.is_dir():
        yield root
        return
    for number, (folder, inside, names) in enumerate(os.walk(root)):
        if number > MAX_FILES:
            return
        inside.sort()
        yield from (Path(folder, name) for name in sorted(names) if name.endswith((".yaml", ".yml", ".json")))


def _documents(
    path: Path, data: bytes, root: Path, budget: Budget, known: Callable[[], list[Body]] | None
) -> Iterator[Document]:
    project, release, channel = release_of_path(path, root)
    for part in _SPLIT.split(data):
        count = part.count(_MARK)
        if not count:
            continue
        group, kind = _GROUP.search(part), _KIND.search(part)
        keys = ("", "")
        if count == 1 and group is not None and kind is not None:
            keys = (group[1].decode(), kind[1].decode())
        whole = known if count == data.count(_MARK) else None
        yield Document(path, part, keys, project, release, channel, budget, whole)


def release_of_path(path: Path, root: Path) -> tuple[str, str, str]:
    """Return project, release and channel of a file, by the names of its parent folders up to the root."""
    channel = ""
    for folder in path.resolve().parents:
        if folder.name in {"standard", "experimental"}:
            channel = channel or folder.name
        match = _RELEASE.fullmatch(folder.name)
        if match is not None:
            return match[1], match[2], channel
        if folder == root.resolve():
            break
    return path.parent.name, "", channel


def read_error(document: Document) -> str:
    """Return why a document cannot be read; empty if it can."""
    try:
        _ = document.versions
    except CompileError as error:
        return error.diagnostics[0].message
    return ""
