"""A Hugging Face checkpoint on this machine: found at its pinned revision, and validated before it is loaded.

Only safetensors are read, and code in a checkpoint is never run. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vsr_runtime.inference.encoder_files import hub_cache, own_roots
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.labels import read_labels

Kind = Literal["sequence", "token"]

MOST_LABELS = 1024

_SUFFIX = {"sequence": "ForSequenceClassification", "token": "ForTokenClassification"}


@dataclass(frozen=True, slots=True)
class Family:
    """What packing needs to know of an architecture.

    Attributes:
        base: The attribute of a classification model that holds its encoder.
        past_padding: Whether positions begin after the padding token's id, as in RoBERTa.
    """

    base: str
    past_padding: bool = False


FAMILIES = {
    "modernbert": Family("model"),
    "bert": Family("bert"),
    "roberta": Family("roberta", past_padding=True),
    "xlm-roberta": Family("roberta", past_padding=True),
}
"""By ``model_type``. mmBERT is a ``modernbert``. Any other architecture runs too, one sequence at a time."""


@dataclass(frozen=True)
class Checkpoint:
    """A validated checkpoint.

    Attributes:
        folder: The folder of its files.
        kind: Whether it labels a text or each of its tokens.
        config: ``config.json``.
        labels: In the order of its outputs.
        family: How it is packed; None if it is not.
        positions: Tokens that it can read at a time, special ones included.
    """

    folder: Path
    kind: Kind
    config: dict[str, Any]
    labels: tuple[str, ...]
    family: Family | None
    positions: int

    @property
    def tokenizer(self) -> Path:
        """The fast tokenizer."""
        return self.folder / "tokenizer.json"

    @property
    def offset(self) -> int:
        """The position of the first token."""
        past = self.family is not None and self.family.past_padding
        return int(self.config.get("pad_token_id", 1)) + 1 if past else 0


def find_checkpoint(repo: str, revision: str) -> Path:
    """Find the folder with the files of ``repo`` at ``revision``.

    Looks at ``<dir>/<org>/<name>/<revision>`` in the folders of ``VSR_MODELS``, then in the Hugging Face cache.

    Raises:
        ModelError: It is in none of them; the message lists them.
    """
    places = [*(root / repo / revision for root in own_roots()), _snapshot(repo, revision)]
    for place in places:
        if (place / "config.json").is_file():
            return place
    raise ModelError(
        f"the checkpoint {repo} at {revision} is not on this machine; put its files into one of: "
        f"{', '.join(map(str, places))}"
    )


def read_checkpoint(folder: Path, kind: Kind) -> Checkpoint:
    """Validate a folder.

    Raises:
        ModelError: A file is missing or damaged, the model is of another kind, or it could only be loaded by running
            code or unpickling data from the folder.
    """
    config = _json(folder / "config.json")
    _refuse_code(folder, config)
    weight_files(folder)
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"{folder} has no tokenizer.json; save its tokenizer as a fast one")
    names = config.get("architectures") or []
    if not any(str(name).endswith(_SUFFIX[kind]) for name in names):
        raise ModelError(f"{folder} holds {', '.join(map(str, names)) or 'no model'}, but {_SUFFIX[kind]} is needed")
    family = FAMILIES.get(str(config.get("model_type")))
    labels = read_labels(folder, config)
    if len(labels) > MOST_LABELS:
        raise ModelError(f"{folder} has {len(labels)} labels; {MOST_LABELS} are the most")
    found = Checkpoint(folder, kind, config, labels, family, 0)
    return Checkpoint(folder, kind, config, labels, family, _positions(config, folder) - found.offset)


def weight_files(folder: Path) -> list[Path]:
    """The files with the weights.

    Raises:
        ModelError: There are none, or the index names one that is missing or outside the folder.
    """
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        raise ModelError(f"{folder} has no model.safetensors; other formats can run code and are not read")
    shards = _json(index).get("weight_map")
    names = sorted(set(shards.values())) if isinstance(shards, dict) else []
    for name in names:
        if Path(str(name)).name != name or not str(name).endswith(".safetensors") or not (folder / str(name)).is_file():
            raise ModelError(f"{index} names {name!r}, which is not a safetensors file next to it; fetch it again")
    if not names:
        raise ModelError(f"{index} names no files; fetch it again")
    return [folder / name for name in names]


def encoder_key(checkpoint: Checkpoint) -> str:
    """A hash of the encoder alone, the same for checkpoints that differ in their heads only.

    Takes in the weights below the family's base, without its pooler, and everything of the config that is not about
    heads or labels.
    """
    from safetensors import safe_open  # noqa: PLC0415 - of the classify extra

    digest = hashlib.sha256()
    if checkpoint.family is None:
        raise ModelError(f"{checkpoint.folder} is of an architecture whose encoder is not shared")
    digest.update(json.dumps(_encoder_config(checkpoint.config), sort_keys=True).encode())
    prefix = f"{checkpoint.family.base}."
    for path in weight_files(checkpoint.folder):
        with safe_open(path, framework="numpy") as file:
            names = sorted(name for name in file.keys() if name.startswith(prefix))  # noqa: SIM118 - no dict
        for name, data in _tensors(path, names):
            if not name.startswith(f"{prefix}pooler."):
                digest.update(f"{name}\0{len(data)}\0".encode())
                digest.update(data)
    return digest.hexdigest()


def _tensors(path: Path, names: list[str]) -> Iterator[tuple[str, memoryview]]:
    """Yield the bytes of tensors without copying. Comparing them needs no support for their dtypes."""
    import mmap  # noqa: PLC0415 - only a packed checkpoint is hashed

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        view = memoryview(data)
        try:
            for name in names:
                begin, end = header[name]["data_offsets"]
                piece = view[8 + size + begin : 8 + size + end]
                try:
                    yield name, piece
                finally:
                    piece.release()
        finally:
            view.release()


def _encoder_config(config: dict[str, Any]) -> dict[str, Any]:
    about_heads = ("id2label", "label2id", "architectures", "problem_type", "num_labels", "transformers_version")
    return {
        key: value
        for key, value in config.items()
        if key not in about_heads and not key.startswith(("classifier_", "_"))
    }


def _refuse_code(folder: Path, config: dict[str, Any]) -> None:
    if "auto_map" in config:
        raise ModelError(f"{folder} needs code of its own (auto_map in config.json), which is never run; use another")


def _positions(config: dict[str, Any], folder: Path) -> int:
    value = config.get("max_position_embeddings")
    if not isinstance(value, int) or isinstance(value, bool) or value < 8:  # noqa: PLR2004 - less holds no text
        raise ModelError(f"{folder}: config.json has no valid max_position_embeddings; fetch it again")
    return value


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({error}); fetch the checkpoint again") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path} is not a mapping; fetch the checkpoint again")
    return data


def _snapshot(repo: str, revision: str) -> Path:
    return hub_cache() / f"models--{repo.replace('/', '--')}" / "snapshots" / revision
