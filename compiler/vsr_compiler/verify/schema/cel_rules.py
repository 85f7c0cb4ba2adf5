"""Evaluate the CEL rules of a schema, within a budget for each rule and for the whole run."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.verify.manifest import Path
from vsr_compiler.verify.schema import patterns
from vsr_compiler.verify.schema.cel import Budget, CelError, CelSyntaxError, CostError, Program, compiled
from vsr_compiler.verify.schema.cel.times import parse_duration, parse_timestamp
from vsr_compiler.verify.schema.cel.values import NONE, UnsupportedError
from vsr_compiler.verify.schema.node import Node, Rule
from vsr_compiler.verify.schema.structure import Problem

RULE_STEPS = 1_000_000
RUN_STEPS = 30_000_000
"""Limits in steps of about 0.1 µs. A thousand generated objects take less than a million steps."""
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(?:'([^']*)'|\"([^\"]*)\"|(\d{1,9}))\]")
_PATTERNS = re.compile(r"\b(matches|find|findAll)\(")


@dataclass(slots=True)
class Evaluator:
    """Evaluates CEL rules for one run.

    Attributes:
        budget: Steps that the run may still take.
        unevaluable: Rules that cannot be evaluated, with the reason.
    """

    budget: Budget = field(default_factory=lambda: Budget(RUN_STEPS))
    unevaluable: dict[str, str] = field(default_factory=dict)

    def problems(self, node: Node, value: Any, path: Path) -> Iterator[Problem]:  # noqa: ANN401 - JSON of any form
        """Return the rules of a node that a value violates."""
        current = with_cel_types(node, value) if node.has_cel_types else value
        for rule in node.rules:
            if self.budget.left <= 0:
                return
            program = self._program(rule)
            if program is None:
                continue
            try:
                answer = self._run(program, current)
            except CelError as error:
                rule_path, hint = path, f"Satisfy the rule: {_short(rule.rule)}"
                yield Problem("VSR446", rule_path, f"{_rule_message(rule)} (evaluation failed: {error})", hint)
            except UnsupportedError as error:
                self.unevaluable[rule.rule] = str(error)
            except CostError:
                if self.budget.left > 0:
                    self.unevaluable[rule.rule] = "it takes too many steps"
            else:
                if answer is not True:
                    yield self._violation(rule, current, path)

    def _program(self, rule: Rule) -> Program | None:
        if rule.rule in self.unevaluable or (_PATTERNS.search(rule.rule) and not patterns.available()):
            return None
        try:
            program = compiled(rule.rule)
        except CelSyntaxError as error:
            self.unevaluable[rule.rule] = str(error)
            return None
        # A transition rule compares with the stored object, and there is none.
        return None if "oldSelf" in program.names and not rule.optional_old else program

    def _run(self, program: Program, value: Any) -> Any:  # noqa: ANN401 - any value
        budget = Budget(min(RULE_STEPS, self.budget.left))
        before = budget.left
        try:
            return program((value, NONE), budget)
        finally:
            self.budget.left -= before - max(budget.left, 0)

    def _violation(self, rule: Rule, current: Any, path: Path) -> Problem:  # noqa: ANN401 - any value
        message = _rule_message(rule)
        if rule.message_expression:
            try:
                message_value = self._run(compiled(rule.message_expression), current)
            except (CelError, CostError, CelSyntaxError, UnsupportedError):
                message_value = None
            if isinstance(message_value, str) and message_value.strip() and "\n" not in message_value:
                message = message_value[:500]
        rule_path = (*path, *parse_field_path(rule.field_path))
        return Problem("VSR446", rule_path, message, f"Satisfy the rule: {_short(rule.rule)}")


def parse_field_path(field_path: str) -> Path:
    """Return the path in a rule's `fieldPath`, such as `.a.b` or `['a b']`."""
    path: list[str | int] = []
    for name, single, double, index in _STEP.findall(field_path[:1000]):
        path.append(int(index) if index else name or single or double)
    return tuple(path)


def with_cel_types(node: Node | None, value: Any) -> Any:  # noqa: ANN401, PLR0911 - JSON of any form; one for each format
    """Return the value with CEL's types for strings in a format of times, durations or bytes."""
    if node is None or not node.has_cel_types:
        return value
    if isinstance(value, dict):
        return {key: with_cel_types(node.child(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_cel_types(node.items, item) for item in value]
    if not isinstance(value, str):
        return value
    format_name = node.raw.get("format")
    if format_name == "duration":
        return parse_duration(value) or value
    if format_name == "date-time":
        return parse_timestamp(value) or value
    if format_name == "date":
        return parse_timestamp(f"{value}T00:00:00Z") or value
    return _bytes(value) if format_name == "byte" else value


def _bytes(value: str) -> bytes | str:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return value


def _rule_message(rule: Rule) -> str:
    return rule.message.strip().rstrip(".")[:500] or f"violates the rule `{_short(rule.rule)}`"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"  # noqa: PLR2004 - as cut
