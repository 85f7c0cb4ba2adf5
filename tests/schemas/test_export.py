"""The JSON Schemas, as editors use them."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from support.common import ROOT, SMALL
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.syntax import load
from vsr_compiler.syntax.data import parse
from vsr_compiler.targets import environment_targets
from vsr_schemas import export
from vsr_schemas.policy.v1alpha1 import PolicySpec
from vsr_schemas.policy.v1alpha1.descriptions import DESCRIPTIONS

POLICY = export.policy(environment_targets())
VALIDATOR = jsonschema.Draft7Validator(POLICY)
ONLY_THE_COMPILER = {
    # Rules between two fields of a section, and characters: more than draft-07 can express, or than an editor needs.
    "block without a real detector",
    "cached tokens dearer than others",
    "conversation without an expectation",
    "control character",
    "empty range",
}


def accepted(text: str) -> bool:
    """Whether an editor would be content with a policy."""
    return VALIDATOR.is_valid(YAML(typ="safe", pure=True).load(text))


def properties(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every section."""
    for section, made in {"": schema, **schema["definitions"]}.items():
        for key, child in made.get("properties", {}).items():
            yield f"{where}{section}.{key}", child


@pytest.mark.parametrize("made", [POLICY, export.report()], ids=["policy", "report"])
def test_a_schema_is_valid_draft_07_and_every_reference_resolves(made: dict[str, Any]) -> None:
    """Nothing of 2020-12 is left in it."""
    jsonschema.Draft7Validator.check_schema(made)
    text = json.dumps(made)
    assert set(re.findall(r'"#/definitions/(\w+)"', text)) <= set(made["definitions"])
    for word in ("$defs", "prefixItems", "discriminator", "unevaluatedProperties"):
        assert f'"{word}"' not in text
    assert made["$id"].startswith("https://")


@pytest.mark.parametrize("made", [POLICY, export.report()], ids=["policy", "report"])
def test_every_key_says_what_it_is_for(made: dict[str, Any]) -> None:
    """In the file's own spelling, without the marks of our docstrings."""
    for where, child in properties(made):
        assert child.get("description", "").strip(), where
        assert "``" not in child["description"], where


def test_editors_show_the_descriptions_of_the_reference_page() -> None:
    """So that there is one text to keep. Values with units say how they are written."""
    router = POLICY["definitions"]["Router"]["properties"]
    assert router["autoModels"]["description"] == DESCRIPTIONS["router"]["autoModels"]
    assert router["deadline"]["description"].endswith("Written as `1s` or `300ms`.")
    assert POLICY["properties"]["endpoints"]["description"].startswith("Places where models run")


def test_defaults_and_bounds_are_those_of_the_file() -> None:
    """A duration's default has its unit; a port's bounds are JSON Schema's."""
    router = POLICY["definitions"]["Router"]["properties"]
    assert router["deadline"]["default"] == "1s"
    assert router["maxBody"]["default"] == "8Mi"
    assert not {"minimum", "maximum", "le"} & router["deadline"].keys()
    port = POLICY["definitions"]["Service"]["properties"]["port"]
    assert (port["type"], port["minimum"], port["maximum"], port["default"]) == ("integer", 1, 65535, 80)


PATHS = sorted(
    [
        *ROOT.glob("policies/*.yaml"),
        *ROOT.glob("tests/golden/*/policy.yaml"),
        *ROOT.glob("compiler/vsr_compiler/cli/templates/*.yaml"),
    ]
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_policy_that_is_here_validates(path: Any) -> None:
    """An editor marks nothing that the compiler takes."""
    document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize("name", ["1e3", "no", "12", "true", "1.0", "12:30"])
def test_unquoted_names_that_look_like_other_types_are_accepted(name: str) -> None:
    """The front end takes them for the text that was meant, and so does the editor."""
    text = SMALL.replace("little", name)
    parse(document := load(text, "p"), PolicySpec)
    assert document
    assert accepted(text)


def bad_policies() -> dict[str, tuple[str, list[tuple[str, int, int]]]]:
    """The table of broken policies, one for each fault."""
    path = ROOT / "tests" / "compiler" / "link" / "test_bad_policies.py"
    spec = importlib.util.spec_from_file_location("bad_policies", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.CASES)


def fits(text: str) -> bool:
    """Whether the front end finds the policy's form right, whatever it means."""
    try:
        parse(load(text, "p"), PolicySpec)
    except CompileError:
        return False
    return True


def test_an_editor_refuses_what_the_front_end_refuses_and_nothing_else() -> None:
    """Over all broken policies whose fault is one of form, but for what draft-07 cannot say."""
    cases = {name: text for name, (text, _) in bad_policies().items()}
    differs = {name for name, text in cases.items() if accepted(text) != fits(text)}
    assert differs - ONLY_THE_COMPILER == set()
    assert sum(not fits(text) for text in cases.values()) > 10


def test_description_tables_name_existing_fields() -> None:
    """A renamed section keeps its rule."""
    for table in (export.EXACTLY_ONE, export.AT_LEAST_ONE):
        for section, keys in table.items():
            assert {key.partition(".")[0] for key in keys} <= set(POLICY["definitions"][section]["properties"]), section
    assert set(export.ONLY_ONE_KEY) <= set(POLICY["definitions"])
