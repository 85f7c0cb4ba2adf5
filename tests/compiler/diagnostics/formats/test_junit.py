"""JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats.junit import render


def test_a_suite_for_each_policy_and_a_case_for_each_code() -> None:
    """Errors fail; warnings are output of a case that passes; a clean policy is a case that passes."""
    found = [
        Diagnostic("VSR201", "one", Span("a.yaml", 1, 1), "Do."),
        Diagnostic("VSR201", "two", Span("a.yaml", 2, 1)),
        Diagnostic("VSR235", "three", Span("a.yaml", 3, 1)),
    ]
    root = ET.fromstring(render(["a.yaml", "b.yaml"], found, {}))  # noqa: S314 - our own output
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    first, second = root
    assert (first.get("name"), first.get("tests"), first.get("failures")) == ("a.yaml", "2", "1")
    failed, passed = first
    assert failed.get("name") == "VSR201 undefined name"
    failure = failed.find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("VSR201", "one")
    assert failure.text == "a.yaml:1:1: error: one (Do.)\na.yaml:2:1: error: two"
    assert passed.find("failure") is None
    assert (passed.findtext("system-out") or "").startswith("a.yaml:3:1: warning: three")
    assert [case.get("name") for case in second] == ["no findings"]


def test_a_finding_in_another_file_has_a_suite_of_its_own() -> None:
    """Output files that differ are not policies."""
    found = [Diagnostic("VSR502", "differs", Span("out/x"))]
    root = ET.fromstring(render(["a.yaml"], found, {}))  # noqa: S314 - our own output
    assert [suite.get("name") for suite in root] == ["a.yaml", "out/x"]


def test_hostile_text_is_still_xml() -> None:
    """Markup, quotes, controls and half surrogates can stand in a message and in a file's name."""
    hostile = "<&>\"']]>\x00\x1b\ud800\n\t\N{SNOWMAN}"
    found = [Diagnostic("VSR201", hostile, Span(hostile, 1, 1), severity=level) for level in Severity]
    root = ET.fromstring(render([hostile], found, {}))  # noqa: S314 - our own output
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == hostile.replace("\x00", "\ufffd").replace("\x1b", "\ufffd").replace(
        "\ud800", "\ufffd"
    )
