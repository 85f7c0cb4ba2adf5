"""Downloads definitions into the cache: what the lock lists and as it lists it, a release whole or not at all."""

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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.schema.crd import MAX_FILE
from vsr_compiler.verify.schema.lockfile import Entry, Release

SECONDS = 30.0
"""Until a server must have answered, and until it must have sent a whole file."""
_AT_ONCE = 8
_CHUNK = 64 * 1024
_SEPARATOR = re.compile(rb"(?m)^---[ \t]*\r?\n")
_COMMENT = re.compile(rb"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)+")

Fetch = Callable[[str], bytes]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Nobody follows a server elsewhere: what was asked for lies where the lock says."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - urllib's own signature
        """Refuse."""


def fetch(url: str, *, seconds: float = SECONDS, limit: int = MAX_FILE) -> bytes:
    """The bytes at an address.

    Raises:
        CompileError: VSR452 where they cannot be had in time, or are too many.
    """
    if not url.startswith(("https://", "http://")):
        raise _failed(url, "only https:// and http:// are known")
    until = time.monotonic() + seconds
    data = bytearray()
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "vsr-compile"})  # noqa: S310 - looked at above
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds) as answer:
            while chunk := answer.read1(_CHUNK):
                data += chunk
                if len(data) > limit:
                    raise _failed(url, f"more than {limit // 1024 // 1024} MiB")
                if time.monotonic() > until:
                    raise _failed(url, f"not sent whole within {seconds:g} s")
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(url, f"the server said {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise _failed(url, str(reason) or type(error).__name__) from None
    return bytes(data)


def _failed(url: str, reason: str) -> CompileError:
    hint = "Check the network; --from URL takes a mirror."
    return CompileError([Diagnostic("VSR452", f"cannot be fetched: {reason[:300]}", Span(url), hint)])


def pull(release: Release, folder: Path, get: Fetch = fetch) -> int:
    """Fetch a release into the cache. Returns how many files were written; 0 where all were there already.

    Raises:
        CompileError: VSR451 or VSR452. What lay in the cache stays as it was.
    """
    target = folder / release.name
    if all(_holds(target / each.to, each.sha256) for each in release.entries):
        return 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        addresses = [release.url.replace("{path}", path) for path in release.paths()]
        sources = dict(zip(release.paths(), pool.map(get, addresses), strict=True))
    found = [part for path, data in sources.items() for part in _parts(release, path, data)]
    try:
        _write(target, found)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = "Name a folder that can be written in VSR_CACHE_DIR."
        raise CompileError([Diagnostic("VSR452", f"cannot be written: {reason}", Span(str(target)), hint)]) from None
    return len(found)


def _parts(release: Release, path: str, data: bytes) -> list[tuple[Entry, bytes]]:
    """The files in what was fetched, each with the sha256 of the lock.

    Raises:
        CompileError: VSR451 where one is not there as the lock has it.
    """
    wanted = [each for each in release.entries if each.path == path]
    parts = [data] if len(wanted) == 1 else [_COMMENT.sub(b"", part) for part in _SEPARATOR.split(data)]
    by_digest = {hashlib.sha256(part).hexdigest(): part for part in parts}
    missing = [each for each in wanted if each.sha256 not in by_digest]
    if missing:
        url = release.url.replace("{path}", path)
        names = ", ".join(each.to for each in missing[:5]) + (" …" if len(missing) > 5 else "")  # noqa: PLR2004 - a few
        got = f"sha256 {next(iter(by_digest))[:12]}… instead of {missing[0].sha256[:12]}…" if len(wanted) == 1 else ""
        message = f"not what the lock has: {names}{f' ({got})' if got else ''}"
        hint = "Nothing of this release was written. Find out who changed it before you trust it."
        raise CompileError([Diagnostic("VSR451", message, Span(url), hint)])
    return [(each, by_digest[each.sha256]) for each in wanted]


def _holds(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        return False


def _write(target: Path, found: list[tuple[Entry, bytes]]) -> None:
    """Write beside the target, then put it in its place by renaming."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=target.parent) as beside:
        new, old = Path(beside) / "new", Path(beside) / "old"
        for entry, data in found:
            path = new / entry.to
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.is_dir():
            os.replace(target, old)  # noqa: PTH105 - a folder by a rename, as the other
        try:
            os.replace(new, target)  # noqa: PTH105 - as above
        except OSError:
            if old.is_dir() and not target.exists():
                shutil.move(old, target)
            raise
