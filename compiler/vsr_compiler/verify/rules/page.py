"""The rules as text for a terminal, and as the reference page ``docs/reference/verify-rules.md``."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes import Kind
from vsr_compiler.diagnostics.page import finding
from vsr_compiler.diagnostics.rule_names import FAMILIES
from vsr_compiler.verify.rules import RULES, Rule

PAGE = "docs/reference/verify-rules.md"
HEAD = """\
# Rules of `vsr-compile verify`

Each rule reports one code. Findings show both, such as `error VSR402 [L02]`. `vsr-compile verify --explain L02` prints
the entry of a rule, and `vsr-compile verify --list-rules` lists them. Names and codes are never reused and never change
their meaning. The severity is the default; some findings of a rule are less severe. Excerpts are parts of larger
manifests.

This page is generated from the rules: `vsr-compile verify --rules-page > docs/reference/verify-rules.md`.
"""


def listing() -> str:
    """Return one line for each rule: name, code, severity and title."""
    return "\n".join(
        f"{rule.name}  {rule.code}  {rule.entry.severity:<7}  {rule.entry.title}" for rule in RULES.values()
    )


def explanation(rule: Rule) -> str:
    """Return the documentation of a rule as plain text."""
    entry = rule.entry
    return (
        f"{rule.name} {entry.title} ({rule.code}, {entry.severity})\n\n"
        f"Purpose: {rule.purpose}\n\n"
        f"Why: {entry.reason}\n\n"
        f"Example:\n\n{_indented(entry.example.text)}\n\n{_indented(finding(rule.code, entry.example))}\n\n"
        f"Fix: {entry.fix}\n\n"
        f"{PAGE}#{_anchor(rule)}"
    )


def markdown() -> str:
    """Return the reference page, with a table and an entry for each rule of a family."""
    parts = [HEAD]
    for family in FAMILIES:
        rules = [rule for rule in RULES.values() if rule.name.startswith(family.letter)]
        rows = [
            f"| [{rule.name}](#{_anchor(rule)}) | {rule.code} | {rule.entry.severity} | {rule.entry.title} |"
            for rule in rules
        ]
        parts.append(f"\n## {family.title}\n\n| rule | code | severity | reports |\n|---|---|---|---|\n")
        parts.append("\n".join(rows) + "\n")
        parts.extend(_section(rule) for rule in rules)
    return "".join(parts)


def _section(rule: Rule) -> str:
    entry = rule.entry
    language = "sh" if entry.example.kind is Kind.COMMAND else "yaml"
    example = entry.example.text.rstrip("\n")
    return (
        f"\n### {rule.name}\n\n"
        f"**{entry.title}** ([{rule.code}](codes.md#{rule.code.lower()}), {entry.severity})\n\n"
        f"{rule.purpose}\n\n"
        f"**Why:** {entry.reason}\n\n"
        f"**Example:**\n\n```{language}\n{example}\n```\n\n"
        f"```text\n{finding(rule.code, entry.example)}\n```\n\n"
        f"**Fix:** {entry.fix}\n"
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _anchor(rule: Rule) -> str:
    return rule.name.lower()
