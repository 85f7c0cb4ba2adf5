"""CustomResourceDefinitions of known releases that come with the package, so that nothing must be fetched.

`crds.zip` has a JSON file for each definition, `PROJECT/RELEASE/CHANNEL/GROUP_KIND.json`, without descriptions. Its
file `NOTICE` names the source and sha256 of each. In the root of the repository,
`python -m vsr_compiler.verify.schema.bundled FOLDER...` writes it again from the files that `vsr-compile crds pull` has
stored in folders; each must have the sha256 of the lock.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings
from vsr_compiler.verify.schema.crd import Document
from vsr_compiler.verify.stream import Budget, parse_documents

if TYPE_CHECKING:
    from vsr_compiler.verify.schema.downloads import Release

FILE = Path(__file__).with_name("crds.zip")
NOTICE = "NOTICE"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NONE = "-"
_KEPT = ("name", "served", "storage", "deprecated", "deprecationWarning", "subresources", "schema")
_VALUES = frozenset({"default", "enum"})
_LICENSE = "All projects are licensed under the Apache License 2.0. Descriptions were removed from the definitions.\n"


@dataclass(frozen=True, eq=False)
class BundledDocument(Document):
    """A definition in the bundle, which is read on first use.

    Attributes:
        member: Its name in the bundle.
    """

    member: str = ""

    @cached_property
    def definitions(self) -> list[Body]:
        """The spec of the definition."""
        with zipfile.ZipFile(FILE) as archive:
            return [json.loads(archive.read(self.member))]


@lru_cache(maxsize=1)
def documents() -> tuple[Document, ...]:
    """Return the definitions in the bundle; none if the package lacks it."""
    if not FILE.is_file():
        return ()
    budget = Budget(values=0)
    with zipfile.ZipFile(FILE) as archive:
        members = [(item.filename, item.CRC, item.file_size) for item in archive.infolist()]
    result = []
    for name, checksum, size in members:
        if name == NOTICE:
            continue
        project, release, channel, key = name.removesuffix(".json").split("/")
        group, _, kind = key.rpartition("_")
        # Equal content has the same data, so that equal definitions of several releases are not ambiguous.
        data = f"{checksum:08x}-{size}".encode()
        place = Path(project, release)
        result.append(
            BundledDocument(place, data, (group, kind), project, release, channel.strip(_NONE), budget, member=name)
        )
    return tuple(result)


def parsed(data: bytes) -> Callable[[], list[Body]] | None:
    """Return what a file gives if the bundle was made from the same bytes: it need not be parsed again.

    The bundle belongs to the package, so that nobody else can change what a digest stands for.
    """
    members = _members().get(hashlib.sha256(data).hexdigest(), ())
    return partial(_read, members) if members else None


@lru_cache(maxsize=1)
def _members() -> Mapping[str, tuple[str, ...]]:
    """Return the names in the bundle by sha256 of the file from which they were made."""
    if not FILE.is_file():
        return {}
    with zipfile.ZipFile(FILE) as archive:
        lines = archive.read(NOTICE).decode().removeprefix(_LICENSE).split("\n")
    result: dict[str, tuple[str, ...]] = {}
    for name, digest in zip(lines[::3], lines[2::3], strict=False):
        key = digest.rpartition(" ")[2]
        result[key] = (*result.get(key, ()), name)
    return result


def _read(members: tuple[str, ...]) -> list[Body]:
    # Releases with the same file have the same content.
    with zipfile.ZipFile(FILE) as archive:
        texts = dict.fromkeys(archive.read(name) for name in members)
    return [json.loads(text) for text in texts]


def newest(candidates: list[Document]) -> list[Document]:
    """Return the documents of the newest release of their project."""
    last = max(_version(document.release) for document in candidates)
    return [document for document in candidates if _version(document.release) == last]


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.partition("-")[0].split(".") if part.isdecimal())


def _stripped(value: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - JSON of any form
    """Return a schema without descriptions; the keys of `properties` are names, not keywords."""
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key in _VALUES and not names else _stripped(item, names=key == "properties" and not names)
        for key, item in value.items()
        if names or key not in {"description", "example", "externalDocs", "title"}
    }


def _specs(data: bytes, name: str) -> Iterator[Body]:
    for value, _ in parse_documents(data, name, Budget(values=1_000_000)):
        body = as_mapping(value)
        if body.get("kind") == "CustomResourceDefinition":
            yield as_mapping(body.get("spec"))


def _entries(release: Release, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Return name in the bundle, text and line of the notice for each definition of a release."""
    for entry in release.entries:
        data = (folder / entry.to).read_bytes()
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise SystemExit(f"{release.name}/{entry.to}: sha256 differs from the lock")
        channel = next((part for part in Path(entry.to).parts if part in {"standard", "experimental"}), _NONE)
        for spec in _specs(data, entry.to):
            versions = [
                {key: _stripped(item[key]) for key in _KEPT if key in item} for item in as_mappings(spec["versions"])
            ]
            kind = spec["names"]["kind"]
            small = {"group": spec["group"], "names": {"kind": kind}, "scope": spec["scope"], "versions": versions}
            name = f"{release.project}/{release.release}/{channel}/{spec['group']}_{kind}.json"
            source = release.url.replace("{path}", entry.path)
            text = json.dumps(small, sort_keys=True, separators=(",", ":"))
            yield name, text, f"{name}\n  {source}\n  sha256 {entry.sha256}\n"


def write(*folders: Path, target: Path = FILE) -> int:
    """Write the bundle from the files of folders. Return the number of definitions.

    Raises:
        SystemExit: A release of the lock is in none of the folders, or a file of it has another sha256.
    """
    from vsr_compiler.verify.schema.downloads import read_lock  # noqa: PLC0415 - to write the bundle only

    entries: list[tuple[str, str, str]] = []
    for release in read_lock():
        # A folder may have the name of the repository before that of the project.
        places = [place for folder in folders for place in sorted(folder.glob(f"*{release.name}"))]
        if not places:
            raise SystemExit(f"{release.name}: in none of the folders")
        entries += _entries(release, places[0])
    entries.sort()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        notice = _LICENSE + "".join(line for _, _, line in entries)
        for name, text in [*((name, text) for name, text, _ in entries), (NOTICE, notice)]:
            item = zipfile.ZipInfo(name, _EPOCH)
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, text)
    return len(entries)


if __name__ == "__main__":
    print(write(*map(Path, sys.argv[1:])), "definitions")  # noqa: T201 - a tool of developers
