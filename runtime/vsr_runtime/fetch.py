"""Fetches checkpoints at pinned revisions: what an init container does before the router starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.log import log

FILES = (
    "*.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "tokenizer.json",
    "sentence_bert_config.json",
    "*mapping.json",
)
"""Files to fetch: nothing that can be executed, and no exports for other programs."""

_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*)@([0-9a-f]{40})")


def fetch(into: Path, pinned: str) -> None:
    """Fetch one checkpoint, unless it is present. Readers see all of it or nothing.

    Args:
        into: the folder of models; the checkpoint goes to ``<repo>/<revision>``.
        pinned: ``org/name@`` and the 40 digits of a commit.

    Raises:
        UserError: the argument is malformed, or the checkpoint cannot be fetched or has no safetensors.
    """
    match = _PINNED.fullmatch(pinned)
    if match is None:
        raise UserError(f"{pinned!r} is not a pinned checkpoint; write org/name@ and a commit of 40 hex digits")
    repo, revision = match.groups()
    target = into / repo / revision
    if (target / "config.json").is_file():
        log("model_present", repo=repo, revision=revision)
        return
    part = target.with_name(f".{revision}.{socket.gethostname()}.{os.getpid()}")
    try:
        part.mkdir(parents=True)
        _download(repo, revision, part)
        _validate(part, pinned)
        shutil.rmtree(part / ".cache", ignore_errors=True)
        _move(part, target)
    except OSError as error:
        raise UserError(f"{pinned} cannot be stored in {into}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    log("model_fetched", repo=repo, revision=revision)


def _download(repo: str, revision: str, folder: Path) -> None:
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        raise UserError("the package huggingface_hub is missing; run pip install 'vsr-compile[classify]'") from None
    try:
        snapshot_download(repo, revision=revision, local_dir=folder, allow_patterns=list(FILES))
    except Exception as error:  # noqa: BLE001 - of many packages: of HTTP, of the hub, of storage
        raise UserError(f"{repo}@{revision} cannot be fetched: {type(error).__name__}: {error}") from None


def _validate(folder: Path, pinned: str) -> None:
    """Check that the runtime can read it; the runtime validates it again, more strictly, when it loads it."""
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing or not list(folder.glob("*.safetensors")):
        lacks = " and ".join(missing) or "safetensors; other formats can run code and are not read"
        raise UserError(f"{pinned} has no {lacks}")
    if "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
        raise UserError(f"{pinned} needs its own code (auto_map), which is never run")


def _move(part: Path, target: Path) -> None:
    try:
        part.rename(target)
    except OSError:
        if not (target / "config.json").is_file():  # otherwise another pod was faster, with the same commit
            raise
