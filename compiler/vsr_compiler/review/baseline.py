"""The earlier output: files from a folder or from a git revision, read as data and never run or compiled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.tree import LOCK, unsafe

MAX_TOTAL = 256 * 1024 * 1024
"""Bytes of a whole tree."""
GIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier output of a policy by path below its folder. ``label`` is what the person called it."""

    label: str
    files: Mapping[str, bytes]


def read_baseline(against: str, out: Path, policy: str) -> Baseline:
    """Read what a policy is compared with.

    Args:
        against: An output folder (the policy's, or the one above it), or else a git revision.
        out: The output directory, whose committed state a revision stands for.
        policy: The policy's name.

    Raises:
        CompileError: VSR305 where there is nothing of that name, VSR306 where it cannot be read as our output.
    """
    folder = Path(against)
    if folder.is_dir():
        return Baseline(against, _from_folder(folder if (folder / LOCK).exists() else folder / policy))
    return Baseline(against, _from_git(against, f"{os.path.relpath(out)}/{policy}"))


def _from_folder(folder: Path) -> dict[str, bytes]:
    """The files that the folder's lock lists, no link followed."""
    place = folder.resolve()
    content = read_owned(place.parent, place.name, LOCK)
    if content is None:
        hint = "Name an output folder such as `out/<policy>`, or a git revision."
        raise CompileError([Diagnostic("VSR305", f"{folder} holds no output of vsr-compile", Span(str(folder)), hint)])
    files: dict[str, bytes] = {}
    total = 0
    for path in locks.parse(content, f"{folder}/{LOCK}").files:
        data = read_owned(place.parent, place.name, path)
        if data is not None:
            files[path] = data
            total += len(data)
            _bounded(total, str(folder))
    return files


def _from_git(revision: str, path: str) -> dict[str, bytes]:
    """The files of a folder at a revision; none where the revision does not have it: a new policy is all new."""
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        message = f"`{revision}` is neither a folder nor a git revision"
        hint = "Name an output folder such as `out/<policy>`, or a revision such as `origin/main`."
        raise CompileError([Diagnostic("VSR305", message, Span(revision), hint)])
    tree = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit.decode().strip()}:./{path}")
    if not tree:
        return {}
    listing = _git("ls-tree", "-r", "-z", "--long", "--full-tree", tree.decode().strip())
    blobs: dict[str, str] = {}
    total = 0
    for line in filter(None, listing.split(b"\0")):
        head, _, name = line.partition(b"\t")
        mode, kind, digest, size = head.split()
        label = name.decode(errors="replace")
        # Links and submodules are nothing that we write.
        if kind == b"blob" and mode != b"120000" and not unsafe(label) and label != LOCK:
            blobs[label] = digest.decode()
            total += int(size)
    _bounded(total, revision)
    return dict(zip(blobs, _contents(list(blobs.values())), strict=True))


def _contents(digests: list[str]) -> list[bytes]:
    """Blobs by their ids, in one call."""
    stream = _git("cat-file", "--batch", given="".join(f"{digest}\n" for digest in digests).encode())
    found: list[bytes] = []
    at = 0
    for _ in digests:
        end = stream.index(b"\n", at)
        size = int(stream[at:end].split()[2])
        found.append(stream[end + 1 : end + 1 + size])
        at = end + size + 2
    return found


def _git(*arguments: str, given: bytes = b"") -> bytes:
    """What git prints; empty where it says no."""
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and what a person gave stands after --end-of-options
            command, input=given, capture_output=True, env=environment, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        message = f"git cannot be asked: {type(error).__name__}"
        raise CompileError([Diagnostic("VSR305", message, Span("git"), "Name an output folder instead.")]) from error
    return done.stdout if done.returncode == 0 else b""


def _bounded(total: int, label: str) -> None:
    if total > MAX_TOTAL:
        message = f"the output in {label} is over {MAX_TOTAL // 2**20} MiB"
        raise CompileError([Diagnostic("VSR306", message, Span(label), "Compare with a smaller one.")])
