"""Names of verify rules: each belongs to one code, and families keep apart."""

from __future__ import annotations

from itertools import combinations

from vsr_compiler.diagnostics import CODES, Diagnostic, Span
from vsr_compiler.diagnostics.formats import text
from vsr_compiler.diagnostics.rule_names import FAMILIES, RULE_NAMES


def test_the_codes_of_two_families_never_overlap() -> None:
    """Neither the codes in use nor those that are reserved."""
    for first, second in combinations(FAMILIES, 2):
        assert not {*first.codes, *first.reserved} & {*second.codes, *second.reserved}


def test_every_rule_reports_a_code_of_the_registry_and_reserved_codes_are_free() -> None:
    """A new rule takes its code from the reserved range of its family."""
    assert set(RULE_NAMES) <= set(CODES)
    assert not {f"VSR{code}" for family in FAMILIES for code in family.reserved} & set(CODES)


def test_no_two_rules_share_a_name() -> None:
    """A name belongs to one rule, and a rule reports one code."""
    assert len(set(RULE_NAMES.values())) == len(RULE_NAMES)


def test_a_finding_shows_the_name_of_its_rule_behind_the_code() -> None:
    """Codes of other commands have no rule."""
    finding, other = (Diagnostic(code, "wrong", Span("a.yaml")) for code in ("VSR402", "VSR201"))
    assert text.render([finding], {}) == "a.yaml: error VSR402 [L02]: wrong\n"
    assert text.render([other], {}) == "a.yaml: error VSR201: wrong\n"
