from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from support.common import ROOT, call
from support.npm import copied, run_tests
from vsr_compiler.targets import environment_targets
from vsr_schemas import export
from vsr_schemas.schemastore import ADDRESS, FILES, NAME, entry, schemastore

SOURCE = ROOT / "editors" / "schemastore"
PLAIN = export.policy(environment_targets())
STORED = schemastore(PLAIN)
VALUES = ("x", "", 7, -1, 1.5, True, None, [], ["x"], {}, {"x": "x"})


def documents() -> dict[str, Any]:
    """Policies that are valid, by file."""
    files = [*(ROOT / "policies").glob("*.yaml"), ROOT / "tests" / "compiler" / "whole.yaml"]
    return {path.name: YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) for path in sorted(files)}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value in a document."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(item, (*path, key))


def changed(document: Any, draw: random.Random) -> Any:
    """A document with one value replaced or removed, or a key too many."""
    made = copy.deepcopy(document)
    *way, last = draw.choice(list(places(document)))
    holder = made
    for step in way:
        holder = holder[step]
    match draw.randrange(4):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, dict):
            holder["unknown"] = 1
        case _:
            holder[last] = draw.choice(VALUES)
    return made


def test_the_same_policies_are_valid_in_both_forms() -> None:
    """For policies, and for what one change makes of them."""
    plain, stored = jsonschema.Draft7Validator(PLAIN), jsonschema.Draft7Validator(STORED)
    draw, wrong = random.Random(1), 0  # noqa: S311 - the same changes in every run
    for name, document in documents().items():
        assert plain.is_valid(document) is stored.is_valid(document) is True, name
        for _ in range(60):
            other = changed(document, draw)
            valid = plain.is_valid(other)
            wrong += not valid
            assert stored.is_valid(other) is valid, other
    assert wrong > 100


def test_the_form_has_what_schemastore_demands() -> None:
    """draft-07, its own address, no list of types, and no required field that is no property."""
    jsonschema.Draft7Validator.check_schema(STORED)
    assert (STORED["$schema"], STORED["$id"]) == ("http://json-schema.org/draft-07/schema#", ADDRESS)
    result = call("schema", "--form", "schemastore")
    assert (result.exit_code, json.loads(result.stdout)) == (0, STORED)
    for words in (["--report"], ["--fragment"]):
        assert call("schema", "--form", "schemastore", *words).exit_code == 2


def test_the_catalog_entry_keeps_the_rules_of_the_catalog() -> None:
    """Names of files that nobody else has, and no text that ends with a full stop or says what all entries are."""
    assert json.loads((SOURCE / "catalog-entry.json").read_text(encoding="utf-8")) == entry()
    for text in (entry()["name"], entry()["description"]):
        assert text[-1] not in ",. \t-"
        assert "schema" not in text.lower()
    assert all("/" not in name and "policy" in name for name in FILES)
    for folder in ("test", "negative_test"):
        assert [path.name for path in (SOURCE / folder).iterdir()] == [NAME]


def test_positive_tests_are_policies_without_errors() -> None:
    """And the compiler agrees with the schema about the negative ones."""
    for path in sorted((SOURCE / "test" / NAME).iterdir()):
        assert call("check", str(path)).exit_code == 0, path.name
    for path in sorted((SOURCE / "negative_test" / NAME).iterdir()):
        assert call("check", str(path)).exit_code == 1, path.name


@pytest.mark.subprocess
def test_the_schema_passes_ajv_in_strict_mode(tmp_path: Path) -> None:
    """With its positive and negative tests, as in SchemaStore's own pipeline."""
    folder = copied(SOURCE, tmp_path)
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(STORED), encoding="utf-8")
    run_tests(folder, SCHEMA=str(schema))
