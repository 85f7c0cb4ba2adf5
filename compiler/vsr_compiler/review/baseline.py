"""The baseline of a diff: output files from a folder or a git revision, read as data and never executed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.tree import LOCK, unsafe

MAX_TOTAL = 256 * 1024 * 1024
"""Maximum bytes of a whole tree."""
GIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier output of a policy: files by path below its folder. ``label`` is what the user gave.

    ``lock`` has the releases for which it was compiled; None if it is not at hand.
    """

    label: str
    files: Mapping[str, bytes]
    lock: Lock | None = None


def read_baseline(against: str, out: Path, policy: str) -> Baseline:
    """Read the output that a policy is compared with.

    Args:
        against: An output folder (the policy's, or the one above it), or else a git revision.
        out: The output directory; with a revision, its state in that commit.
        policy: The policy's name.

    Raises:
        CompileError: VSR305 if there is no such folder or revision, VSR306 if it is not readable as output.
    """
    folder = Path(against)
    if folder.is_dir():
        return Baseline(against, *_from_folder(folder if (folder / LOCK).exists() else folder / policy))
    return Baseline(against, *_from_git(against, f"{os.path.relpath(out)}/{policy}"))


def _from_folder(folder: Path) -> tuple[dict[str, bytes], Lock]:
    """Read the files that the folder's lock lists, without following links."""
    place = folder.resolve()
    content = read_owned(place.parent, place.name, LOCK)
    if content is None:
        hint = "Use an output folder such as `out/<policy>`, or a git revision."
        raise CompileError(
            [Diagnostic("VSR305", f"{folder} is not an output folder of vsr-compile", Span(str(folder)), hint)]
        )
    files: dict[str, bytes] = {}
    total = 0
    lock = locks.parse(content, f"{folder}/{LOCK}")
    for path in lock.files:
        data = read_owned(place.parent, place.name, path)
        if data is not None:
            files[path] = data
            total += len(data)
            _bounded(total, str(folder))
    return files, lock


def _from_git(revision: str, path: str) -> tuple[dict[str, bytes], Lock | None]:
    """Read the files of a folder at a revision; none if the folder did not exist, as for a new policy."""
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        message = f"`{revision}` is neither a folder nor a git revision"
        hint = "Use an output folder such as `out/<policy>`, or a revision such as `origin/main`."
        raise CompileError([Diagnostic("VSR305", message, Span(revision), hint)])
    tree = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit.decode().strip()}:./{path}")
    if not tree:
        return {}, None
    listing = _git("ls-tree", "-r", "-z", "--long", "--full-tree", tree.decode().strip())
    blobs: dict[str, str] = {}
    total = 0
    for line in filter(None, listing.split(b"\0")):
        head, _, name = line.partition(b"\t")
        mode, kind, digest, size = head.split()
        label = name.decode(errors="replace")
        # The compiler writes no links and no submodules.
        if kind == b"blob" and mode != b"120000" and not unsafe(label):
            blobs[label] = digest.decode()
            total += int(size)
    _bounded(total, revision)
    files = dict(zip(blobs, _contents(list(blobs.values())), strict=True))
    return files, _lock(files.pop(LOCK, b""), revision)


def _lock(content: bytes, revision: str) -> Lock | None:
    """Return the lock of a revision; None if it is not one, for which the files can be compared all the same."""
    try:
        return locks.parse(content, f"{revision}:{LOCK}")
    except CompileError:
        return None


def _contents(digests: list[str]) -> list[bytes]:
    """Read blobs by their ids, in one call."""
    stream = _git("cat-file", "--batch", stdin="".join(f"{digest}\n" for digest in digests).encode())
    blobs: list[bytes] = []
    at = 0
    for _ in digests:
        end = stream.index(b"\n", at)
        size = int(stream[at:end].split()[2])
        blobs.append(stream[end + 1 : end + 1 + size])
        at = end + size + 2
    return blobs


def _git(*arguments: str, stdin: bytes = b"") -> bytes:
    """Return the output of git; empty if it fails."""
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and user input comes after --end-of-options
            command, input=stdin, capture_output=True, env=environment, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        message = f"git cannot be run: {type(error).__name__}"
        raise CompileError([Diagnostic("VSR305", message, Span("git"), "Use an output folder instead.")]) from error
    return done.stdout if done.returncode == 0 else b""


def _bounded(total: int, label: str) -> None:
    if total > MAX_TOTAL:
        message = f"the output in {label} is over {MAX_TOTAL // 2**20} MiB"
        raise CompileError([Diagnostic("VSR306", message, Span(label), "Compare with a smaller output.")])
