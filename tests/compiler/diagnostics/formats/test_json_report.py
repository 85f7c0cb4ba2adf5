"""The JSON report."""

from __future__ import annotations

import json

import jsonschema

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats.json_report import render
from vsr_schemas import export
from vsr_schemas.version import VERSION

FOUND = [
    Diagnostic("VSR235", "later", Span("p.yaml", 9, 3, 9, 6), "Route it."),
    Diagnostic("VSR201", "first \N{SNOWMAN}", Span("p.yaml", 2, 1)),
    Diagnostic("VSR001", "gone", Span("none.yaml"), severity=Severity.NOTE),
]


def test_a_report_is_sorted_counted_and_follows_its_schema() -> None:
    """Scripts rest on the schema, so what is printed is held against it."""
    document = json.loads(render(["p.yaml", "none.yaml"], FOUND, {}))
    jsonschema.Draft7Validator(export.report()).validate(document)
    assert document["apiVersion"] == "vsr.dev/report/v1"
    assert document["tool"] == {"name": "vsr-compile", "version": VERSION}
    assert document["summary"] == {"errors": 1, "warnings": 1, "notes": 1}
    assert [item["code"] for item in document["findings"]] == ["VSR001", "VSR201", "VSR235"]
    assert document["findings"][2] == {
        "code": "VSR235",
        "severity": "warning",
        "title": "category without a route",
        "message": "later",
        "help": "Route it.",
        "place": {"file": "p.yaml", "line": 9, "column": 3, "endLine": 9, "endColumn": 6},
    }


def test_what_has_no_place_inside_its_file_has_no_line() -> None:
    """Rather that than a line 0 which no editor can open."""
    document = json.loads(render(["none.yaml"], FOUND[2:], {}))
    assert document["findings"][0]["place"] == {"file": "none.yaml"}
    assert "help" not in document["findings"][0]


def test_without_findings_the_report_still_says_what_was_looked_at() -> None:
    """An empty report is a report."""
    document = json.loads(render(["p.yaml"], [], {}))
    assert document["policies"] == ["p.yaml"]
    assert document["findings"] == []
    jsonschema.Draft7Validator(export.report()).validate(document)
