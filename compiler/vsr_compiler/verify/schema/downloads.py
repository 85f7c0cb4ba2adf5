"""Download CustomResourceDefinitions into the cache, as the lock file lists them with their sha256.

A release is written completely or not at all.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.schema.crd import MAX_FILE

LOCK = "crds.lock.yaml"
TIMEOUT = 30.0
"""Seconds within which a server must respond, and within which it must send a complete file."""
_AT_ONCE = 8
_CHUNK = 64 * 1024
_SEPARATOR = re.compile(rb"(?m)^---[ \t]*\r?\n")
_COMMENT = re.compile(rb"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)+")

Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the lock.

    Attributes:
        path: Its path in the project's repository.
        to: Its path in the cache, relative to the release's folder.
        sha256: The sha256 of its bytes, in hex.
    """

    path: str
    to: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """The CustomResourceDefinitions of a project at a release.

    Attributes:
        project: The project's name in profiles of releases.
        release: The release.
        url: The address of its files, with the placeholder `{path}`.
        entries: The files. Entries with the same path are documents of one stream.
    """

    project: str
    release: str
    url: str
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The name in messages and of the folder, such as ``istio-v1.30.3``."""
        return f"{self.project}-v{self.release}" if self.release[:1].isdecimal() else f"{self.project}-{self.release}"

    def paths(self) -> list[str]:
        """Return the paths to download, each once."""
        return list(dict.fromkeys(entry.path for entry in self.entries))


def read_lock(base: str = "") -> list[Release]:
    """Return all releases of the lock file.

    Args:
        base: Replaces scheme and host of every address, such as a mirror's `https://mirror.example/raw`.
    """
    text = files("schemas").joinpath(LOCK).read_text(encoding="utf-8")
    document = YAML(typ="safe").load(text)
    template: str = document["url"]
    if base:
        template = base.rstrip("/") + "/" + template.split("/", 3)[3]
    return list(_releases(document["projects"], template))


def _releases(projects: list[dict[str, object]], template: str) -> Iterator[Release]:
    for entry in projects:
        url = template.replace("{repository}", str(entry["repository"])).replace("{commit}", str(entry["commit"]))
        listed = entry["files"]
        assert isinstance(listed, list)  # noqa: S101 - a file of this project, which a test reads
        yield Release(str(entry["project"]), str(entry["release"]), url, tuple(Entry(**entry) for entry in listed))


def select(releases: list[Release], names: tuple[str, ...]) -> list[Release]:
    """Return the releases with the given names, or all if there are no names.

    `istio` selects each of its releases, `istio@1.30.3` one of them.

    Raises:
        KeyError: A name matches nothing.
    """
    result = []
    for name in names:
        project, _, release = name.partition("@")
        matching = [entry for entry in releases if entry.project == project and release in {"", entry.release}]
        if not matching:
            raise KeyError(name)
        result += [entry for entry in matching if entry not in result]
    return result if names else releases


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Do not follow redirects: files are only downloaded from the address in the lock."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - urllib's own signature
        """Return no request."""


def fetch(url: str, *, timeout: float = TIMEOUT, limit: int = MAX_FILE) -> bytes:
    """Return the bytes at an address.

    Raises:
        CompileError: VSR452 if the download fails, takes too long or exceeds the limit.
    """
    if not url.startswith(("https://", "http://")):
        raise _failed(url, "only https:// and http:// are supported")
    deadline = time.monotonic() + timeout
    data = bytearray()
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "vsr-compile"})  # noqa: S310 - scheme checked above
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as response:
            while chunk := response.read1(_CHUNK):
                data += chunk
                if len(data) > limit:
                    raise _failed(url, f"more than {limit // 1024 // 1024} MiB")
                if time.monotonic() > deadline:
                    raise _failed(url, f"not complete within {timeout:g} s")
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(url, f"the server returned status {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise _failed(url, str(reason) or type(error).__name__) from None
    return bytes(data)


def _failed(url: str, reason: str) -> CompileError:
    hint = "Check the network, or pass a mirror by --from URL."
    return CompileError([Diagnostic("VSR452", f"download failed: {reason[:300]}", Span(url), hint)])


def pull(release: Release, folder: Path, get: Fetch = fetch) -> int:
    """Download a release into the cache. Return the number of files written; 0 if it is complete already.

    Raises:
        CompileError: VSR451 or VSR452; the cache is unchanged.
    """
    target = folder / release.name
    if all(_has_digest(target / entry.to, entry.sha256) for entry in release.entries):
        return 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        addresses = [release.url.replace("{path}", path) for path in release.paths()]
        sources = dict(zip(release.paths(), pool.map(get, addresses), strict=True))
    result = [part for path, data in sources.items() for part in _parts(release, path, data)]
    try:
        _write(target, result)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = "Set VSR_CACHE_DIR to a writable folder."
        raise CompileError([Diagnostic("VSR452", f"cannot be written: {reason}", Span(str(target)), hint)]) from None
    return len(result)


def _parts(release: Release, path: str, data: bytes) -> list[tuple[Entry, bytes]]:
    """Return the files of a download with the entries of the lock.

    Raises:
        CompileError: VSR451 if a file does not have the sha256 of the lock.
    """
    entries = [entry for entry in release.entries if entry.path == path]
    parts = [data] if len(entries) == 1 else [_COMMENT.sub(b"", part) for part in _SEPARATOR.split(data)]
    by_digest = {hashlib.sha256(part).hexdigest(): part for part in parts}
    missing = [entry for entry in entries if entry.sha256 not in by_digest]
    if missing:
        url = release.url.replace("{path}", path)
        names = ", ".join(entry.to for entry in missing[:5]) + (" …" if len(missing) > 5 else "")  # noqa: PLR2004 - a few
        got = f"sha256 {next(iter(by_digest))[:12]}… instead of {missing[0].sha256[:12]}…" if len(entries) == 1 else ""
        message = f"sha256 differs from the lock: {names}{f' ({got})' if got else ''}"
        hint = "Find out who changed the file before you use it. Nothing of this release was written."
        raise CompileError([Diagnostic("VSR451", message, Span(url), hint)])
    return [(entry, by_digest[entry.sha256]) for entry in entries]


def _has_digest(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        return False


def _write(target: Path, result: list[tuple[Entry, bytes]]) -> None:
    """Write to a temporary folder next to the target, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=target.parent) as temporary:
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        for entry, data in result:
            path = new / entry.to
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.is_dir():
            os.replace(target, old)  # noqa: PTH105 - renames a folder
        try:
            os.replace(new, target)  # noqa: PTH105 - as above
        except OSError:
            if old.is_dir() and not target.exists():
                shutil.move(old, target)
            raise
