"""The CEL rules of a schema held against values, within a budget for each rule and for the whole run."""

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
from vsr_compiler.verify.schema.cel.values import NONE, duration, timestamp
from vsr_compiler.verify.schema.node import Node, Rule
from vsr_compiler.verify.schema.walk import Problem

RULE_STEPS = 1_000_000
RUN_STEPS = 30_000_000
"""Steps: about a tenth of a microsecond each. A thousand objects of ours take less than one of these millions."""
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(?:'([^']*)'|\"([^\"]*)\"|(\d{1,9}))\]")
_PATTERNS = re.compile(r"\b(matches|find|findAll)\(")


@dataclass(slots=True)
class Evaluator:
    """Evaluates rules for one run.

    Attributes:
        budget: What the whole run may still cost.
        failed: Rules that cannot be evaluated, with the reason; each is said once.
    """

    budget: Budget = field(default_factory=lambda: Budget(RUN_STEPS))
    failed: dict[str, str] = field(default_factory=dict)

    def problems(self, node: Node, value: Any, path: Path) -> Iterator[Problem]:  # noqa: ANN401 - JSON of any form
        """The rules of a node that a value breaks."""
        current = typed(node, value) if node.has_times else value
        for rule in node.rules:
            if self.budget.left <= 0:
                return
            program = self._program(rule)
            if program is None:
                continue
            try:
                answer = self._run(program, current)
            except CelError as error:
                where, hint = path, f"The rule: {_short(rule.rule)}"
                yield Problem("VSR446", where, f"{_said(rule)} (no answer: {error})", hint)
            except CostError:
                if self.budget.left > 0:
                    self.failed[rule.rule] = "it costs too much"
            else:
                if answer is not True:
                    yield self._broken(rule, current, path)

    def _program(self, rule: Rule) -> Program | None:
        if rule.rule in self.failed or (_PATTERNS.search(rule.rule) and not patterns.available()):
            return None
        try:
            program = compiled(rule.rule)
        except CelSyntaxError as error:
            self.failed[rule.rule] = str(error)
            return None
        # Such a rule compares with what is stored, and nothing is.
        return None if "oldSelf" in program.names and not rule.optional_old else program

    def _run(self, program: Program, value: Any) -> Any:  # noqa: ANN401 - any value
        budget = Budget(min(RULE_STEPS, self.budget.left))
        before = budget.left
        try:
            return program((value, NONE), budget)
        finally:
            self.budget.left -= before - max(budget.left, 0)

    def _broken(self, rule: Rule, current: Any, path: Path) -> Problem:  # noqa: ANN401 - any value
        message = _said(rule)
        if rule.message_expression:
            try:
                made = self._run(compiled(rule.message_expression), current)
            except (CelError, CostError, CelSyntaxError):
                made = None
            if isinstance(made, str) and made.strip() and "\n" not in made:
                message = made[:500]
        where = (*path, *steps(rule.field_path))
        return Problem("VSR446", where, message, f"The rule: {_short(rule.rule)}")


def steps(field_path: str) -> Path:
    """The path that a rule's `fieldPath` means: `.a.b`, `['a b']`."""
    found: list[str | int] = []
    for name, single, double, index in _STEP.findall(field_path[:1000]):
        found.append(int(index) if index else name or single or double)
    return tuple(found)


def typed(node: Node | None, value: Any) -> Any:  # noqa: ANN401, PLR0911 - JSON of any form; one for each format
    """The value as rules see it: texts with a format of time or bytes have a type of their own."""
    if node is None or not node.has_times:
        return value
    if isinstance(value, dict):
        return {key: typed(node.child(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(node.items, item) for item in value]
    if not isinstance(value, str):
        return value
    form = node.raw.get("format")
    if form == "duration":
        return duration(value) or value
    if form == "date-time":
        return timestamp(value) or value
    if form == "date":
        return timestamp(f"{value}T00:00:00Z") or value
    return _bytes(value) if form == "byte" else value


def _bytes(value: str) -> bytes | str:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return value


def _said(rule: Rule) -> str:
    return rule.message.strip().rstrip(".")[:500] or f"breaks the rule `{_short(rule.rule)}`"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"  # noqa: PLR2004 - as cut
