"""SARIF 2.1.0, held against what the standard demands of the parts that we use."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from vsr_compiler.diagnostics import CODES, Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats.sarif import render

MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = {
    "type": "object",
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$"}},
    "additionalProperties": False,
}
REGION = {
    "type": "object",
    "required": ["startLine"],
    "properties": {
        name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn", "endLine", "endColumn")
    },
    "additionalProperties": False,
}
PROPERTIES = {
    "type": "object",
    "properties": {"rule": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": False,
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "help"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}, "additionalProperties": False},
        "properties": PROPERTIES,
    },
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "level", "locations", "partialFingerprints"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "physicalLocation": {
                        "type": "object",
                        "required": ["artifactLocation"],
                        "properties": {"artifactLocation": LOCATION, "region": REGION},
                        "additionalProperties": False,
                    }
                },
                "additionalProperties": False,
            },
        },
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": PROPERTIES,
    },
    "additionalProperties": False,
}
LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                                "additionalProperties": False,
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "artifacts": {"type": "array", "items": {"type": "object", "properties": {"location": LOCATION}}},
                    "results": {"type": "array", "items": RESULT},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
TEXT = {"p.yaml": "a: 1\nb: wrong\nc: wrong\n"}


def log(found: list[Diagnostic], sources: dict[str, str] | None = None, policies: tuple[str, ...] = ("p.yaml",)) -> Any:
    """The one run of a log that is valid."""
    document = json.loads(render(policies, found, sources or {}))
    jsonschema.Draft7Validator(LOG).validate(document)
    return document["runs"][0]


def test_every_code_gives_a_valid_log() -> None:
    """Each code as a rule with help, each finding as a result that points to its rule."""
    run = log([Diagnostic(code, "message", Span("p.yaml", 1, 1, 1, 2)) for code in CODES], TEXT)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted(CODES)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert all(rule["help"]["text"] == CODES[rule["id"]].fix for rule in rules)


def test_a_result_says_where_what_and_how_bad() -> None:
    """Columns count code points, and the way out is part of the message."""
    run = log([Diagnostic("VSR103", "expected a number", Span("p.yaml", 2, 4, 2, 9), "Write one.")], TEXT)
    (result,) = run["results"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert result["message"]["text"] == "Expected a number. Write one."
    assert result["level"] == "error"
    location = result["locations"][0]["physicalLocation"]
    assert location["region"] == {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 9}


def test_a_verify_rule_is_named_in_its_results_and_in_its_tags() -> None:
    """Code scanning services filter by tags."""
    run = log([Diagnostic("VSR402", "missing", Span("p.yaml", 1)), Diagnostic("VSR103", "wrong", Span("p.yaml", 2))])
    assert [rule.get("properties") for rule in run["tool"]["driver"]["rules"]] == [
        None,
        {"rule": "L02", "tags": ["L02"]},
    ]
    assert [result.get("properties") for result in run["results"]] == [{"rule": "L02"}, None]


def test_a_severity_of_its_own_counts() -> None:
    """`--strict` makes an error of a warning."""
    found = [
        Diagnostic("VSR235", "x", Span("p.yaml", line, 1), severity=level) for line, level in enumerate(Severity, 1)
    ]
    assert [result["level"] for result in log(found)["results"]] == ["note", "warning", "error"]


def test_a_finding_about_a_whole_file_has_no_region() -> None:
    """There is no line 0."""
    (result,) = log([Diagnostic("VSR001", "gone", Span("p.yaml"))])["results"]
    assert "region" not in result["locations"][0]["physicalLocation"]


def test_a_fingerprint_survives_lines_that_come_above_and_tells_twins_apart() -> None:
    """A code scanning service recognises a finding although its number changed."""
    before = log([Diagnostic("VSR103", "x", Span("p.yaml", line, 4)) for line in (2, 3)], TEXT)["results"]
    moved = {"p.yaml": "# new\n" + TEXT["p.yaml"]}
    after = log([Diagnostic("VSR103", "x", Span("p.yaml", line, 4)) for line in (3, 4)], moved)["results"]
    prints = [result["partialFingerprints"]["vsrFinding/v1"] for result in before]
    assert prints == [result["partialFingerprints"]["vsrFinding/v1"] for result in after]
    same = log([Diagnostic("VSR103", word, Span("p.yaml", 2, 4)) for word in "ab"], TEXT)["results"]
    assert len({result["partialFingerprints"]["vsrFinding/v1"] for result in same}) == 2


def test_names_of_files_become_uris() -> None:
    """Blanks and other letters are escaped, an absolute path gets its scheme."""
    found = [Diagnostic("VSR001", "x", Span(name)) for name in ("a b/ü#.yaml", "/policies/x.yaml")]
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in log(found)["results"]]
    assert uris == ["file:///policies/x.yaml", "a%20b/%C3%BC%23.yaml"]


def test_the_report_is_what_the_standard_s_own_models_read() -> None:
    """Read by models that others made from the schema, and written again, nothing is lost or changed."""
    from sarif_pydantic import Sarif  # noqa: PLC0415 - beside its only use

    found = [Diagnostic(code, "x & <y>", Span("policies/a b.yaml", 2, 3, 2, 9), "do it") for code in sorted(CODES)]
    report = json.loads(render(["policies/a b.yaml"], found, {"policies/a b.yaml": "a\nbcdefghijk\n"}))
    again = json.loads(Sarif.model_validate(report).model_dump_json(by_alias=True, exclude_none=True))
    assert _kept(report, again) == []


def _kept(before: Any, after: Any, path: str = "$") -> list[str]:
    """Where the second document lacks or changes something of the first."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            place
            for key, child in before.items()
            for place in (_kept(child, after[key], f"{path}.{key}") if key in after else [f"{path}.{key}"])
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [place for index, child in enumerate(before) for place in _kept(child, after[index], f"{path}[{index}]")]
    return [] if before == after else [path]
