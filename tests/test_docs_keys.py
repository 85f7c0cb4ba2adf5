"""The reference of the policy language describes every field, with the type and default of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.policy_reference import PAGE, SCHEMA, page
from vsr_schemas.export import section
from vsr_schemas.policy.v1alpha1.descriptions import DESCRIPTIONS


def fields(node: Any) -> Iterator[str]:
    """Every field of every section of the schema."""
    if isinstance(node, list):
        for item in node:
            yield from fields(item)
    elif isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for item in node.values():
            yield from fields(item)


@pytest.mark.parametrize("path", DESCRIPTIONS)
def test_each_field_of_a_section_is_described_and_no_other(path: str) -> None:
    """A new field needs a description, and a removed one must not leave one behind."""
    assert set(DESCRIPTIONS[path]) == set(section(SCHEMA, path)["properties"])


def test_every_field_of_the_language_is_in_some_section() -> None:
    """A new section of the schema cannot be forgotten."""
    assert set(fields(SCHEMA)) == {name for names in DESCRIPTIONS.values() for name in names}


def test_the_tables_of_the_page_match_the_schema() -> None:
    """`python tests/support/policy_reference.py` rewrites them."""
    current = PAGE.read_text(encoding="utf-8")
    assert page(current) == current
    assert set(re.findall(r"<!-- fields: (\S*) -->", current)) == set(DESCRIPTIONS)
    assert not re.findall(r"<!-- fields: \S* -->\s*<!-- end -->", current), "a table without rows"
