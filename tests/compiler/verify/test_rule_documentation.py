"""The documentation of rules: complete, and equal on the command line and on the reference page."""

from __future__ import annotations

import pytest

from support.common import ROOT, call
from vsr_compiler.diagnostics import CODES
from vsr_compiler.diagnostics.rule_names import RULE_NAMES
from vsr_compiler.verify.rules import LINK_RULES, RULES
from vsr_compiler.verify.rules.page import PAGE, markdown


def test_every_rule_name_of_the_registry_has_a_rule() -> None:
    """Each rule reports one code, and the names are those of the registry of codes."""
    assert {rule.code: rule.name for rule in RULES.values()} == RULE_NAMES


def test_the_number_of_a_link_rule_is_part_of_its_code() -> None:
    """L01 to L23 report VSR401 to VSR423, later rules VSR6nn. L31 to L36 are not used."""
    assert [rule.name for rule in LINK_RULES] == sorted({rule.name for rule in LINK_RULES})
    for rule in LINK_RULES:
        assert rule.code in {f"VSR4{rule.name[1:]}", f"VSR6{rule.name[1:]}"}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_documented(name: str) -> None:
    """With purpose, reason, example and fix, in sentences."""
    rule = RULES[name]
    for text in (rule.purpose, rule.entry.reason, rule.entry.fix):
        assert text.endswith(".")
    assert rule.entry.example.text


def test_page_is_generated_from_the_rules() -> None:
    """The command that the page names prints it."""
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page == markdown(), f"vsr-compile verify --rules-page > {PAGE}"
    assert call("verify", "--rules-page").stdout == page


def test_list_rules_prints_one_line_for_each_rule() -> None:
    """Without manifests."""
    result = call("verify", "--list-rules")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[rule.name, rule.code] for rule in RULES.values()]


@pytest.mark.parametrize("name", ["L16", "l16", "S02", "E01"])
def test_explain_prints_the_documentation_of_a_rule(name: str) -> None:
    """By its name in upper or lower case."""
    rule = RULES[name.upper()]
    result = call("verify", "--explain", name)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{rule.name} {CODES[rule.code].title} ({rule.code}, ")
    assert rule.purpose in result.stdout
    assert f"{PAGE}#{name.lower()}" in result.stdout


def test_explain_lists_the_rules_for_an_unknown_name() -> None:
    """As a usage error."""
    result = call("verify", "--explain", "L99")
    assert result.exit_code == 2
    assert "There is no rule `L99`." in result.stderr
    assert "`L23`" in result.stderr
