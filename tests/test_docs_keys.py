"""The page of the policy language names every key that a policy may have."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.common import ROOT

SCHEMA = json.loads((ROOT / "schemas" / "routing-policy.schema.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")


def keys(node: Any) -> set[str]:
    """Every key of every noun."""
    if isinstance(node, list):
        return set().union(*map(keys, node))
    if not isinstance(node, dict):
        return set()
    own = node.get("properties")
    named = set(own) if isinstance(own, dict) else set()
    return named.union(*(keys(child) for child in node.values()))


@pytest.mark.parametrize("key", sorted(keys(SCHEMA)))
def test_a_key_of_the_language_is_on_its_page(key: str) -> None:
    """Whoever writes a policy from the page alone can use all of it."""
    assert re.search(rf"\b{re.escape(key)}\b", PAGE), f"docs/reference/policy.md does not name `{key}`"
