"""The inputs of training a head, and their hash. Needs no further package.

Floating-point bits differ between machines, so a head is identified by the hash of its inputs, not by its own bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from vsr_compiler.heads.background import BACKGROUND

ALGORITHM = 2  # increment it with every change that affects a head trained from the same inputs

OTHER = "other"
"""The category that means "none of these": its examples are negative examples, and it gets no label."""


@dataclass(frozen=True, slots=True)
class CategoryExamples:
    """A category of the policy. ``description`` may be empty."""

    name: str
    description: str
    examples: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The training texts of the category, each once, in an order independent of the policy's.

        Name and description count as examples, except for ``other``, which describes no subject.
        """
        own = self.examples if self.name == OTHER else (*self.examples, self.name, self.description)
        return tuple(sorted({text for text in own if text.strip()}, key=_digest))


def _digest(text: str) -> str:
    # Alphabetical order would put texts with the same beginning into neighbouring folds.
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def inputs_hash(
    categories: Sequence[CategoryExamples],
    encoder_repo: str,
    encoder_sha256: str,
    precision: str,
) -> str:
    """Return the sha256, in hex, of everything that a head depends on.

    The order of categories and of examples does not matter, nor do duplicate examples.
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
    """Return the labels of a head trained from these categories: their names, sorted, without ``other``."""
    return tuple(sorted(category.name for category in categories if category.name != OTHER))
