"""Classifier heads that ship with the runtime, for the shipped encoder: ``index.json`` says what each one is.

``python -m vsr_compiler.heads.shipped`` trains them from the example sets of the compiler and writes this folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
INDEX = FOLDER / "index.json"


@dataclass(frozen=True, slots=True)
class ShippedHead:
    """A head.

    Attributes:
        file: its file in this folder.
        inputs: sha256 of what it was trained from, the encoder included.
        labels: its labels, in its order.
    """

    file: str
    inputs: str
    labels: tuple[str, ...]


@cache
def shipped_heads() -> dict[str, ShippedHead]:
    """Return the heads by the name of their example set, such as ``mmlu-pro@1``."""
    index = json.loads(INDEX.read_text(encoding="utf-8"))
    return {name: ShippedHead(one["file"], one["inputs"], tuple(one["labels"])) for name, one in index.items()}


def path_of(inputs: str) -> Path | None:
    """Return the file of the head that was trained from these inputs; None if no such head ships."""
    return next((FOLDER / head.file for head in shipped_heads().values() if head.inputs == inputs), None)
