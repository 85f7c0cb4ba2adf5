"""Examples of the 14 categories that the stock router's classifier knows, for policies whose source has none."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

MAX_EXAMPLES = 24
"""Examples of a category that an imported policy gets: enough for a head, and few enough to read."""


@cache
def builtin() -> dict[str, dict[str, Any]]:
    """Return description and examples by category."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - a source without categories needs none

    path = Path(__file__).parent / "data" / "categories.yaml"
    loaded: dict[str, dict[str, Any]] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return {
        name: {
            "description": str(body["description"]),
            "examples": [str(text) for text in body["examples"]][:MAX_EXAMPLES],
        }
        for name, body in loaded.items()
    }
