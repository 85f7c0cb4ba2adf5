"""Projections as conditions: a weighted sum of signals that hold or not, compared with bounds, is a formula of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.stock.conditions import Condition, Leaf, conjunction, disjunction, negation
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.values import Fields

CERTAIN = frozenset({"keyword", "structure", "context", "conversation", "authz", "input_modality"})
"""Types whose confidence is 1 if they hold, so that it is the same as whether they hold."""
PROTECTIVE = frozenset({"pii", "jailbreak", "safety"})
"""Types whose loss is an error wherever they are used."""
MAX_INPUTS = 12
MAX_SIZE = 400
"""Signals in the formula of one bound; a longer one nobody could read."""
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class _Term:
    """A condition with what the sum has more if it holds."""

    condition: Condition
    gain: float


@dataclass(slots=True)
class _Sum:
    """A sum: what it is if no condition holds, and its terms."""

    base: float = 0.0
    terms: list[_Term] = field(default_factory=list)

    def add(self, condition: Condition, match: float, miss: float) -> None:
        """Add an input. A term never lowers the sum: its condition is negated instead."""
        if match < miss:
            condition, match, miss = negation(condition), miss, match
        self.base += match if condition is True else miss
        if isinstance(condition, bool) or match == miss:
            return
        for index, term in enumerate(self.terms):
            if term.condition == condition:
                self.terms[index] = replace(term, gain=term.gain + match - miss)
                return
        self.terms.append(_Term(condition, match - miss))


class _TooLongError(Exception):
    """The formula has too many signals."""


Translate = Callable[[Leaf], "Condition | str"]


def projected(context: Context, found: Leaf, translate: Translate) -> Condition | str:
    """Return the condition of an output of a mapping; or why there is none."""
    for mapping in context.mappings:
        outputs = [Fields.of(node, "outputs", mapping.span) for node in mapping.items("outputs")]
        names = [output.text("name") for output in outputs]
        if found.name not in names:
            continue
        context.projected.add(mapping.text("name"))
        total = _Sum()
        problem = _collect(context, mapping.text("source"), 1.0, total, found, translate, 0)
        if problem:
            covered(mapping.node)
            return problem
        total.terms.sort(key=lambda term: -term.gain)
        if len(total.terms) > MAX_INPUTS:
            return f"it is a score of {len(total.terms)} signals"
        try:
            bands = [_band(output, total) for output in outputs[: names.index(found.name) + 1]]
        except _TooLongError:
            return "its score has too many combinations"
        own = bands.pop()
        if mapping.text("method").lower() != "multi_emit":
            own = conjunction([own, *(negation(band) for band in bands)])
        context.group("VSR527", "scores that the routes have as formulas of their signals", found.name, found.span)
        return own
    return "the source has no such projection"


def protects(context: Context, name: str, depth: int = 0) -> bool:
    """Return whether an output of a mapping, or a score, depends on what a detector finds."""
    for mapping in context.mappings:
        if name in [Fields.of(node, "outputs", mapping.span).text("name") for node in mapping.items("outputs")]:
            return protects(context, mapping.text("source"), depth + 1)
    score = context.scores.get(name)
    if score is None or depth > MAX_DEPTH:
        return False
    inputs = [Fields.of(node, "inputs", score.span) for node in score.items("inputs")]
    return any(
        part.text("type").lower() in PROTECTIVE
        or (part.text("type").lower() == "projection" and protects(context, part.text("name"), depth + 1))
        for part in inputs
    )


def _collect(
    context: Context, name: str, weight: float, total: _Sum, found: Leaf, translate: Translate, depth: int
) -> str:
    """Add the inputs of a score to a sum. Return why that is impossible; empty if it is not."""
    score = context.scores.get(name)
    context.projected.add(name)
    problem = _added(context, name, score, weight, total, found, translate, depth)
    if problem and score is not None:
        covered(score.node)
    return problem


def _added(
    context: Context,
    name: str,
    score: Fields | None,
    weight: float,
    total: _Sum,
    found: Leaf,
    translate: Translate,
    depth: int,
) -> str:
    """Add the inputs of a score that may be missing."""
    if score is None or depth > MAX_DEPTH:
        return f"its score `{name}` is not defined"
    if score.text("method").lower() not in {"", "weighted_sum"}:
        return f"the method of its score `{name}` is not a sum"
    for node in score.items("inputs"):
        part = Fields.of(node, "inputs", score.span)
        type_, own = part.text("type").lower(), weight * (part.number("weight") or 0.0)
        source = part.text("value_source").lower()
        if type_ == "projection" and source != "confidence":
            if problem := _collect(context, part.text("name"), own, total, found, translate, depth + 1):
                return problem
            continue
        if type_ in {"kb_metric", "projection"} or source == "raw" or (source == "confidence" and type_ not in CERTAIN):
            return f"its score `{name}` depends on the value of `{part.text('name') or type_}`, not on whether it holds"
        condition = translate(Leaf(type_, part.text("name"), part.span, found.negated, part))
        if isinstance(condition, str):
            return f"its score needs `{type_}: {part.text('name')}`: {condition}"
        match, miss = part.number("match") or 1.0, part.number("miss") or 0.0
        if source == "confidence":
            match, miss = 1.0, 0.0
        total.add(condition, own * match, own * miss)
    return ""


def _band(output: Fields, total: _Sum) -> Condition:
    """Return when a sum is within the bounds of an output."""
    parts: list[Condition] = []
    size = [0]
    for key in ("gt", "gte", "lt", "lte"):
        bound = output.number(key)
        if bound is None:
            continue
        reached = _reached(total.terms, total.base, bound, size, strict=key in {"gt", "lte"})
        parts.append(negation(reached) if key[0] == "l" else reached)
    return conjunction(parts)


def _reached(terms: list[_Term], value: float, bound: float, size: list[int], *, strict: bool) -> Condition:
    """Return when a sum is at least a bound, or above it."""
    if _over(value, bound, strict=strict):
        return True
    if not _over(value + sum(term.gain for term in terms), bound, strict=strict):
        return False
    size[0] += 1
    if size[0] > MAX_SIZE:
        raise _TooLongError
    first, *rest = terms
    without = _reached(rest, value, bound, size, strict=strict)
    having = _reached(rest, value + first.gain, bound, size, strict=strict)
    return disjunction([without, conjunction([first.condition, having])])


def _over(value: float, bound: float, *, strict: bool) -> bool:
    rounded, limit = round(value, 9), round(bound, 9)
    return rounded > limit if strict else rounded >= limit
