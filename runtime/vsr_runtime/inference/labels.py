"""The labels of a checkpoint, in the order of its outputs, from ``config.json`` or the stock router's mapping files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vsr_runtime.inference.errors import ModelError

MAPPINGS = ("category_mapping.json", "pii_type_mapping.json", "jailbreak_type_mapping.json", "label_mapping.json")
"""Files next to the weights that name the outputs, as the stock router reads them."""
BY_NUMBER = ("idx_to_category", "idx_to_label", "id_to_label", "id2label")
BY_LABEL = ("category_to_idx", "label_to_idx", "label_to_id", "label2id")

_NAMELESS = re.compile(r"(LABEL|class)_\d+", re.IGNORECASE)


def read_labels(folder: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the labels.

    Args:
        folder: May contain mapping files.
        config: ``config.json``; labels such as ``LABEL_0`` are ignored in favour of a mapping file.

    Raises:
        ModelError: There are none, they are not numbered from 0, or two sources disagree.
    """
    found = {"config.json": _numbered(config.get("id2label"), folder / "config.json")} if "id2label" in config else {}
    if all(_NAMELESS.fullmatch(label) for labels in found.values() for label in labels):
        found = {}
    for name in MAPPINGS:
        if (folder / name).is_file():
            found[name] = _mapping(folder / name)
    if not found:
        raise ModelError(
            f"{folder}: nothing says what the outputs mean: config.json has no id2label with names, and none of "
            f"{', '.join(MAPPINGS)} is there"
        )
    if len(set(found.values())) > 1:
        raise ModelError(f"{folder}: {' and '.join(found)} give different labels; remove what does not belong to it")
    return next(iter(found.values()))


def require(labels: Sequence[str], required: Sequence[str], what: str) -> None:
    """Check that a checkpoint has the labels that a policy uses; it may have more.

    Raises:
        ModelError: One is missing; names it and all labels.
    """
    missing = [label for label in required if label not in labels]
    if missing:
        raise ModelError(
            f"{what} does not know {', '.join(map(repr, missing))}; its labels are {', '.join(map(repr, labels))}: "
            "write the policy's names as the checkpoint has them, or take another checkpoint"
        )


def _mapping(path: Path) -> tuple[str, ...]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({error}); fetch the checkpoint again") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path} is not a mapping; fetch the checkpoint again")
    found = {_numbered(data[key], path) for key in BY_NUMBER if key in data}
    found |= {_numbered(_turned(data[key]), path) for key in BY_LABEL if key in data}
    if len(found) != 1:
        raise ModelError(f"{path} gives {'no' if not found else 'different'} labels; fetch the checkpoint again")
    return found.pop()


def _turned(data: object) -> dict[str, Any]:
    return {str(number): label for label, number in data.items()} if isinstance(data, dict) else {}


def _numbered(data: object, path: Path) -> tuple[str, ...]:
    """Labels by their numbers, which are strings in JSON."""
    if isinstance(data, dict) and data and all(isinstance(label, str) for label in data.values()):
        numbers = {str(number): label for number, label in data.items()}
        labels = tuple(numbers.get(str(number), "") for number in range(len(numbers)))
        if all(labels) and len(set(labels)) == len(labels):
            return labels
    raise ModelError(f"{path}: labels must be distinct and numbered from 0; fetch the checkpoint again")
