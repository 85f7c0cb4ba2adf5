"""Decisions as routes, guards and the default, in the order in which the stock router prefers them."""

from __future__ import annotations

from functools import partial
from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.model import Choice, Correspondence, Outcome
from vsr_compiler.importer.stock import guards, plugins
from vsr_compiler.importer.stock.answers import answer, references
from vsr_compiler.importer.stock.conditions import Rules, disjunction, translated
from vsr_compiler.importer.stock.context import Context, Decision
from vsr_compiler.importer.stock.plugins import Effects
from vsr_compiler.importer.stock.projections import PROTECTIVE, protects
from vsr_compiler.importer.stock.signals import leaf
from vsr_compiler.importer.values import Fields

MAX_PRIORITY = 1_000_000
CERTAIN = frozenset({"keyword", "context", "structure", "conversation", "authz", "input_modality", "language"})
"""Types whose signals have the confidence 1."""
LOOPERS = frozenset(["confidence", "ratings", "remom", "fusion", "workflows"])
UNUSED = {
    "description": "descriptions of decisions have no effect",
    "annotations": "annotations have no effect on decisions",
    "output_contract": "contracts of responses are not checked",
    "output_contract_spec": "contracts of responses are not checked",
}


LOST_FIELDS = ("candidateIterations", "adaptations", "emits")
NOT_CARRIED = (*LOST_FIELDS, "output_contract", "output_contract_spec")
"""Fields of decisions that no route has."""


def decisions(context: Context, routing: Fields) -> list[Decision]:
    """Return the decisions of the source, in the order of preference."""
    found = []
    for index, node in enumerate(routing.items("decisions")):
        fields = Fields.of(node, f"decisions[{index}]", routing.at("decisions"))
        name = fields.text("name") or f"decision-{index + 1}"
        priority, tier = fields.integer("priority") or 0, fields.integer("tier") or 0
        found.append(Decision(name, priority, max(tier, 0), fields, fields.value_at("name")))
    strategy = routing.text("strategy").lower()
    tiers = {item.tier for item in found}
    if strategy == "confidence" or tiers - {0}:
        _unordered(context, found, strategy, routing.value_at("strategy") if strategy else routing.at("decisions"))
    return sorted(found, key=lambda item: (item.tier, -item.priority))


def _unordered(context: Context, found: list[Decision], strategy: str, span: Span) -> None:
    """Report decisions among which the stock router takes the most confident one."""
    by_tier: dict[int, list[str]] = {}
    for item in found:
        by_tier.setdefault(item.tier, []).append(item.name)
    several = [name for names in by_tier.values() if len(names) > 1 for name in names]
    if strategy == "confidence" or several:
        message = "the stock router takes the most confident of several decisions, and a policy the first one"
        hint = "Check the order of the routes."
        context.lose("VSR532", message, span, hint)


def routes(context: Context, found: list[Decision]) -> None:
    """Add the routes and guards of all decisions."""
    made: list[tuple[Decision, Rules, dict[str, Any]]] = []
    for item in found:
        entry = _decision(context, item)
        if entry is not None:
            made.append((item, *entry))
    made.sort(key=lambda entry: (entry[0].tier, -entry[0].priority, not _certain(entry[1]), entry[0].name))
    _ties(context, made)
    priorities = [item.priority for item, _, _ in made]
    kept = all(0 <= value <= MAX_PRIORITY for value in priorities) and priorities == sorted(priorities, reverse=True)
    for index, (item, _, body) in enumerate(made):
        priority = item.priority if kept else (len(made) - index) * 10
        whole = {"name": body.pop("name"), "priority": priority, **body} if priority else body
        path = context.job.draft.append("routes", whole)
        for line in _remarks(context, item):
            context.job.draft.comment(path, line)


def _remarks(context: Context, item: Decision) -> list[str]:
    """Return comments on a route: what its decision loses."""
    prefix = item.fields.span
    return [
        f"{finding.message[:1].upper()}{finding.message[1:]}."
        for finding in context.job.losses.all()
        if finding.code in {"VSR522", "VSR524", "VSR525", "VSR526", "VSR538"}
        and finding.span.file == prefix.file
        and prefix.line <= finding.span.line <= prefix.end_line
        and f"`{item.name}`" in finding.message
    ]


def _certain(rules: Rules) -> bool:
    return bool(rules.leaves) and all(item.type in CERTAIN or item.negated for item in rules.leaves)


def _ties(context: Context, made: list[tuple[Decision, Rules, dict[str, Any]]]) -> None:
    """Report decisions of one priority among which confidence can decide."""
    by_rank: dict[tuple[int, int], list[tuple[Decision, Rules]]] = {}
    for item, rules, _ in made:
        by_rank.setdefault((item.tier, item.priority), []).append((item, rules))
    for same in by_rank.values():
        open_ones = [(item, rules) for item, rules in same if not _certain(rules)]
        if len(open_ones) > 1 and not _exclusive([rules for _, rules in open_ones]):
            names = ", ".join(f"`{item.name}`" for item, _ in open_ones[:6])
            message = (
                f"decisions {names} have one priority: the stock router takes the most confident, a policy the first"
            )
            context.lose("VSR532", message, open_ones[0][0].span, "Give them different priorities.")


def _exclusive(same: list[Rules]) -> bool:
    """Return whether at most one of some decisions can hold: each is one category or some, and no category twice."""
    seen: set[str] = set()
    for rules in same:
        condition = rules.condition
        if isinstance(condition, bool):
            return False
        parts = condition.get("any", [condition])
        names = {part.get("category", "") for part in parts}
        if "" in names or names & seen:
            return False
        seen |= names
    return True


def _decision(context: Context, item: Decision) -> tuple[Rules, dict[str, Any]] | None:
    """Return the route of a decision; None if it is only a guard or nothing."""
    rules = translated(item.fields.take("rules"), item.span, partial(leaf, context))
    effects = plugins.effects(context, item.fields, item.name)
    _lost(context, item, rules, effects)
    protecting = guards.from_plugins(context, item.name, effects)
    if effects.respond is not None and guards.guarded(rules):
        return _guard(context, item, rules, effects)
    if rules.condition is False:
        _silent(context, item)
        message = f"decision `{item.name}` never matches, so it has no route"
        context.lose("VSR525", message, item.span, severity=Severity.WARNING)
        _note(context, item, "lost", (), "VSR525", effects.lost)
        _finish(context, item)
        return None
    body = _route(context, item, rules, effects)
    differs = "VSR523" if protecting else "VSR524" if rules.lost else ""
    _note(context, item, "route", (body["name"], *protecting), differs, effects.lost)
    _finish(context, item)
    return rules, body


def _guard(context: Context, item: Decision, rules: Rules, effects: Effects) -> tuple[Rules, dict[str, Any]] | None:
    """Add the guards of a decision. Return a route for the conditions that are no detections."""
    names = guards.from_decision(context, item.name, rules.leaves, effects.at or item.span)
    parts = rules.condition.get("any", [rules.condition]) if isinstance(rules.condition, dict) else []
    used = {
        name
        for leaf_ in rules.leaves
        if leaf_.type in guards.GUARDED
        for name in _signal_of(context, leaf_.type, leaf_.name)
    }
    remaining = disjunction([part for part in parts if part.get("signal") not in used])
    for name in used:
        _drop_signal(context, name)
    if remaining is False:
        _silent(context, item)
        _note(context, item, "guard", tuple(names), "VSR523", effects.lost)
        _finish(context, item)
        return None
    rules.condition = remaining
    body = _route(context, item, rules, effects)
    _note(context, item, "guard", (*names, body["name"]), "VSR523", effects.lost)
    _finish(context, item)
    return rules, body


def _signal_of(context: Context, type_: str, name: str) -> list[str]:
    """Return the name in the policy of a signal without levels."""
    known = context.job.draft.mapping("signals")
    new = context.job.names.known("signal", name, (type_, ""))
    return [new] if new in known else []


def _drop_signal(context: Context, name: str) -> None:
    """Remove a signal that only a guard needs, unless a route names it already."""
    if name not in context.needed:
        context.job.draft.mapping("signals").pop(name, None)


def _lost(context: Context, item: Decision, rules: Rules, effects: Effects) -> None:
    """Report the leaves of a decision that are lost: an error if one is negated or protects."""
    for message, span in rules.problems:
        context.lose("VSR525", message, span, severity=Severity.WARNING)
    answers = effects.respond is not None
    for lost in rules.lost:
        what = f"decision `{item.name}` loses the condition `{lost.leaf.type}: {lost.leaf.name}`: {lost.reason}"
        protecting = lost.leaf.type in PROTECTIVE or (
            lost.leaf.type == "projection" and protects(context, lost.leaf.name)
        )
        if lost.leaf.negated or protecting or answers:
            why = "under NOT" if lost.leaf.negated else "in a decision that blocks" if answers else "of a protection"
            hint = f"A condition {why} must not get lost. Express it by another signal of the source, and import again."
            context.lose("VSR522", what, lost.leaf.span, hint)
            context.job.refused.add(f"{lost.leaf.type}:{lost.leaf.name}")
        else:
            context.lose(
                "VSR524", what, lost.leaf.span, "The route holds less often. Add a signal that tells the same."
            )


def _route(context: Context, item: Decision, rules: Rules, effects: Effects) -> dict[str, Any]:
    body: dict[str, Any] = {"name": context.job.names.new("route", item.name, item.span)}
    body["when"] = "always" if rules.condition is True else rules.condition
    context.needed |= _signals_in(rules.condition)
    if effects.respond is not None:
        _silent(context, item)
        body["respond"] = effects.respond
        return body
    body |= answer(context, item)
    return body | effects.fields


def _silent(context: Context, item: Decision) -> None:
    """Read the models of a decision that never asks them."""
    for key in ("modelRefs", "algorithm"):
        if item.fields.has(key):
            context.group("VSR527", "models of decisions that ask none", item.name, item.fields.at(key))
            covered(item.fields.take(key))
    references(context, item)


def _signals_in(condition: Any) -> set[str]:  # noqa: ANN401 - a condition, or a part of it
    if isinstance(condition, dict):
        own = {condition["signal"]} if "signal" in condition else set()
        return own.union(*(_signals_in(part) for key, part in condition.items() if key != "signal"))
    return set().union(*(_signals_in(part) for part in condition)) if isinstance(condition, list) else set()


def _note(
    context: Context, item: Decision, outcome: Outcome, names: tuple[str, ...], differs: str, effects: set[str]
) -> None:
    lost = effects | {key for key in NOT_CARRIED if item.fields.has(key)}
    if item.name in context.unreasoned:
        lost.add(context.unreasoned[item.name])
    models: Choice = context.choices.get(item.name, "")
    note = Correspondence(item.name, outcome, names, item.span, differs, tuple(sorted(lost)), models)
    context.job.correspondences.append(note)


def _finish(context: Context, item: Decision) -> None:
    """Report what is left of a decision."""
    for key in LOST_FIELDS:
        if item.fields.has(key):
            context.lose("VSR526", f"decision `{item.name}` loses `{key}`", item.fields.at(key))
            covered(item.fields.take(key))
    item.fields.taken.update({*LOST_FIELDS, "modelRefs", "algorithm"})
    context.leftovers(item.fields, UNUSED)
