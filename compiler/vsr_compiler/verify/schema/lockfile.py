"""What `crds pull` may fetch: projects and releases, where each file lies, and the sha256 that it must have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from ruamel.yaml import YAML

LOCK = "crds.lock.yaml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of ours.

    Attributes:
        path: Where it lies in its repository.
        to: Its name in our folder, below the release's.
        sha256: Of its bytes, in hex.
    """

    path: str
    to: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """A project's definitions at a release.

    Attributes:
        project: The project as profiles of releases call it.
        release: The release.
        url: Where its files lie, with `{path}` in it.
        entries: The files. Several with one path are the documents of one stream.
    """

    project: str
    release: str
    url: str
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """How messages and folders call it."""
        return f"{self.project}-v{self.release}" if self.release[:1].isdecimal() else f"{self.project}-{self.release}"

    def paths(self) -> list[str]:
        """What must be fetched."""
        return list(dict.fromkeys(each.path for each in self.entries))


def read(base: str = "") -> list[Release]:
    """All releases.

    Args:
        base: Replaces the scheme and host of every address, such as a mirror's `https://mirror.example/raw`.
    """
    text = files("schemas").joinpath(LOCK).read_text(encoding="utf-8")
    document = YAML(typ="safe").load(text)
    template: str = document["url"]
    if base:
        template = base.rstrip("/") + "/" + template.split("/", 3)[3]
    return list(_releases(document["projects"], template))


def _releases(projects: list[dict[str, object]], template: str) -> Iterator[Release]:
    for each in projects:
        url = template.replace("{repository}", str(each["repository"])).replace("{commit}", str(each["commit"]))
        listed = each["files"]
        assert isinstance(listed, list)  # noqa: S101 - our own file, which a test reads
        yield Release(str(each["project"]), str(each["release"]), url, tuple(Entry(**entry) for entry in listed))


def chosen(releases: list[Release], names: tuple[str, ...]) -> list[Release]:
    """The releases that names mean, all for none: `istio` means each of its releases, `istio@1.30.3` that one.

    Raises:
        KeyError: A name means nothing.
    """
    found = []
    for name in names:
        project, _, release = name.partition("@")
        meant = [each for each in releases if each.project == project and release in {"", each.release}]
        if not meant:
            raise KeyError(name)
        found += [each for each in meant if each not in found]
    return found if names else releases
