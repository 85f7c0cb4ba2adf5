"""The rules as text for a terminal, and as the reference page ``docs/reference/verify-rules.md``."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler.diagnostics import CODES
from vsr_compiler.diagnostics.rule_names import FAMILIES
from vsr_compiler.verify.rules import RULES, Rule

PAGE = "docs/reference/verify-rules.md"
HEAD = """\
# Rules of `vsr-compile verify`

Each rule reports one code. Findings show both, such as `error VSR402 [L02]`. `vsr-compile verify --explain L02` prints
the entry of a rule, and `vsr-compile verify --list-rules` lists them. Names and codes are never reused and never change
their meaning. This page is generated from the rules: `vsr-compile verify --list-rules --markdown`.
"""


def listing(rules: Iterable[Rule] = RULES.values()) -> str:
    """Return one line for each rule: name, code, severity and title."""
    return "\n".join(f"{rule.name}  {rule.code}  {_severity(rule):<7}  {rule.title}" for rule in rules)


def explanation(rule: Rule) -> str:
    """Return the documentation of a rule as plain text."""
    example = "".join(f"    {line}\n" for line in rule.example.splitlines())
    return (
        f"{rule.name} {rule.title} ({rule.code}, {_severity(rule)})\n\n"
        f"Purpose: {rule.purpose}\n\n"
        f"Why: {rule.why}\n\n"
        f"Example:\n\n{example}\n"
        f"Fix: {rule.fix}\n\n"
        f"{PAGE}#{_anchor(rule)}"
    )


def markdown() -> str:
    """Return the reference page, with a table and an entry for each rule of a family."""
    parts = [HEAD]
    for family in FAMILIES:
        rules = [rule for rule in RULES.values() if rule.name.startswith(family.letter)]
        rows = [
            f"| [{rule.name}](#{_anchor(rule)}) | {rule.code} | {_severity(rule)} | {rule.title} |" for rule in rules
        ]
        parts.append(f"\n## {family.title}\n\n| rule | code | severity | reports |\n|---|---|---|---|\n")
        parts.append("\n".join(rows) + "\n")
        parts.extend(_entry(rule) for rule in rules)
    return "".join(parts)


def _entry(rule: Rule) -> str:
    return (
        f'\n### <a id="{_anchor(rule)}"></a>{rule.name}: {rule.title}\n\n'
        f"{rule.purpose}\n\n"
        f"**Why.** {rule.why}\n\n"
        f"**Example.**\n\n```{_language(rule)}\n{rule.example}```\n\n"
        f"**Fix.** {rule.fix}\n"
    )


def _language(rule: Rule) -> str:
    return "sh" if rule.example.startswith(("vsr-compile", "pip")) else "yaml"


def _severity(rule: Rule) -> str:
    """Return the default severity; some findings of a rule may be less severe."""
    return CODES[rule.code].severity


def _anchor(rule: Rule) -> str:
    return rule.name.lower()
