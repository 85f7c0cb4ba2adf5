"""What a head is trained from, and the hash that stands for all of it. Needs no package.

Floating-point bits differ between machines, so a head is known by the hash of its inputs, not by its own bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from vsr_compiler.heads.background import BACKGROUND

ALGORITHM = 1  # raise it with every change that makes a head trained from the same inputs a better or another one

OTHER = "other"
"""The category that means "none of these": its examples teach a head what to leave alone, and it gets no label."""


@dataclass(frozen=True, slots=True)
class CategoryExamples:
    """A category as the policy gives it; ``description`` may be empty."""

    name: str
    description: str
    examples: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """What the category is learnt from, each text once, in an order that the policy's order has no part in.

        Name and description count as examples. ``other`` describes no subject, so its examples stand alone.
        """
        own = self.examples if self.name == OTHER else (*self.examples, self.name, self.description)
        return tuple(sorted({text for text in own if text.strip()}, key=_digest))


def _digest(text: str) -> str:
    # Alphabetical order would put texts that begin alike into neighbouring folds.
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def inputs_hash(
    categories: Sequence[CategoryExamples],
    encoder_repo: str,
    encoder_sha256: str,
    precision: str,
) -> str:
    """The sha256, in hex, over everything that a head depends on.

    Neither the order of the categories counts nor that of the examples within one, nor an example given twice.
    """
    canonical = {
        "algorithm": ALGORITHM,
        "background": sha256("\n".join(BACKGROUND).encode()).hexdigest(),
        "encoder": {"repo": encoder_repo, "sha256": encoder_sha256, "precision": precision},
        "categories": {
            category.name: {"description": category.description, "examples": sorted(set(category.examples))}
            for category in categories
        },
    }
    return sha256(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def labels(categories: Sequence[CategoryExamples]) -> tuple[str, ...]:
    """The labels of a head trained from these categories: their names, sorted, without ``other``."""
    return tuple(sorted(category.name for category in categories if category.name != OTHER))
