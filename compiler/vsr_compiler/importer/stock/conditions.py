"""Rule trees of decisions as conditions of routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.values import Fields
from vsr_compiler.syntax.nodes import Mapping, Node

Condition = dict[str, Any] | bool
"""A condition of the policy language, or a constant: ``True`` is ``always``."""
MAX_DEPTH = 40
OPERATORS = {"AND": "all", "OR": "any", "NOT": "not"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of a rule tree: a type and a name, and whether an odd number of NOTs is above it."""

    type: str
    name: str
    span: Span
    negated: bool
    fields: Fields


@dataclass(frozen=True, slots=True)
class LostLeaf:
    """A leaf that the policy cannot express, and why."""

    leaf: Leaf
    reason: str


@dataclass(slots=True)
class Rules:
    """The condition of a decision, and what was lost of it.

    Attributes:
        condition: The condition.
        leaves: All leaves.
        lost: Those without an equivalent. A lost leaf counts as what makes the condition hold less often.
        problems: Other faults of the tree, with their places.
    """

    condition: Condition = True
    leaves: list[Leaf] = field(default_factory=list)
    lost: list[LostLeaf] = field(default_factory=list)
    problems: list[tuple[str, Span]] = field(default_factory=list)


Translate = Callable[[Leaf], "Condition | str"]
"""Returns the condition of a leaf, or why there is none."""


def translated(node: Node | None, span: Span, translate: Translate) -> Rules:
    """Return the condition of a rule tree. A decision without rules holds always."""
    rules = Rules()
    if not isinstance(node, Mapping) or not node.entries:
        return rules
    rules.condition = _branch(Fields.of(node, "rules", span), rules, translate, negated=False, depth=0)
    return rules


def _branch(fields: Fields, rules: Rules, translate: Translate, *, negated: bool, depth: int) -> Condition:
    operator, type_ = fields.text("operator").strip().upper(), fields.text("type").strip().lower()
    if depth > MAX_DEPTH:
        rules.problems.append(("the rules are nested too deep", fields.span))
        return negated
    if type_ and not operator:
        return _leaf(fields, type_, rules, translate, negated=negated)
    parts = fields.items("conditions")
    if operator not in OPERATORS:
        if operator:
            rules.problems.append(
                (f"operator `{operator}` is no operator: the stock router reads it as OR", fields.span)
            )
        operator = "OR"
    below = negated != (operator == "NOT")
    found = [
        _branch(Fields.of(part, fields.where, fields.span), rules, translate, negated=below, depth=depth + 1)
        for part in parts
    ]
    if operator == "NOT":
        if len(found) != 1:
            rules.problems.append(
                ("NOT has not exactly one condition, so the stock router never matches it", fields.span)
            )
            return False
        return negation(found[0])
    return conjunction(found) if operator == "AND" else disjunction(found)


def _leaf(fields: Fields, type_: str, rules: Rules, translate: Translate, *, negated: bool) -> Condition:
    leaf = Leaf(type_, fields.text("name").strip(), fields.span, negated, fields)
    rules.leaves.append(leaf)
    found = translate(leaf)
    if isinstance(found, str):
        rules.lost.append(LostLeaf(leaf, found))
        covered(fields.node)
        return negated
    return found


def negation(part: Condition) -> Condition:
    """Return the negation; two of them cancel out."""
    if isinstance(part, bool):
        return not part
    inner: Condition = part.get("not", {"not": part})
    return inner


def conjunction(parts: list[Condition]) -> Condition:
    """Return the conjunction, without constants and repetitions."""
    return _joined(parts, "all", neutral=True)


def disjunction(parts: list[Condition]) -> Condition:
    """Return the disjunction, without constants and repetitions."""
    return _joined(parts, "any", neutral=False)


def _joined(parts: list[Condition], word: str, *, neutral: bool) -> Condition:
    kept: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, bool):
            if part is not neutral:
                return not neutral
            continue
        for item in part.get(word, [part]):
            if item not in kept:
                kept.append(item)
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else {word: kept}
