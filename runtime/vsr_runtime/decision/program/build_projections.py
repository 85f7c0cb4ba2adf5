"""Builds the scores and bands of a config, and reads its groups of signals of which only one holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from vsr_runtime.decision.program.conditions import Condition, SignalName
from vsr_runtime.decision.program.projections import (
    SLOPE,
    Band,
    BandCondition,
    BandMapping,
    ProjectedScore,
    Projection,
    ScoreInput,
    SignalInput,
)
from vsr_runtime.decision.signals.base import Bounds
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.routerconfig import v0_4_0 as contract

_PLACE = "routing.projections"
MAX_SCORES, MAX_INPUTS, MAX_BANDS = 200, 200, 200
_MEASURING = frozenset({"structure", "conversation", "embedding"})
"""Types of signals that have a raw number in the stock router. That of others is 0 there, whatever they are."""
Leaf = Callable[[contract.RuleLeaf], Condition]


@dataclass(frozen=True, slots=True)
class Projections:
    """The bands of a config, by name, and the signals whose numbers they read."""

    bands: Mapping[str, BandCondition]
    measured: frozenset[SignalName]


def build_projections(projections: contract.Projections | None, leaf: Leaf) -> Projections:
    """Build the bands of a config.

    Args:
        projections: the section of the config; None if it has none.
        leaf: compiles the condition that a signal holds; raises if the signal is not defined.

    Raises:
        UserError: a name is unknown or duplicated, scores depend on each other, or something cannot be executed.
    """
    if projections is None:
        return Projections({}, frozenset())
    _check_sizes(projections)
    mapped: dict[str, list[BandMapping]] = {}
    source_of: dict[str, str] = {}
    for i, mapping in enumerate(projections.mappings or ()):
        place = f"{_PLACE}.mappings[{i}]"
        if mapping.source not in {score.name for score in projections.scores or ()}:
            raise config_error(place, f"its source {mapping.source!r} is no score")
        if mapping.method == "multi_emit" and len(mapping.outputs) == 1:
            raise config_error(place, "the method multi_emit has several outputs; use threshold_bands for one")
        mapped.setdefault(mapping.source, []).append(_mapping(place, mapping))
        source_of |= {output.name: mapping.source for output in mapping.outputs}
    outputs = [output.name for mapping in projections.mappings or () for output in mapping.outputs]
    check_unique(f"{_PLACE}.mappings", outputs)
    scores = {
        score.name: ProjectedScore(
            score.name,
            tuple(
                _input(f"{_PLACE}.scores[{i}].inputs[{j}]", one, leaf, source_of) for j, one in enumerate(score.inputs)
            ),
            tuple(mapped.get(score.name, ())),
        )
        for i, score in enumerate(projections.scores or ())
    }
    needs = {name: _needs(score, source_of, scores) for name, score in scores.items()}
    order = _order(needs)
    bands = {name: BandCondition(_needed(source, scores, needs, order), name) for name, source in source_of.items()}
    inputs = (one for score in scores.values() for one in score.inputs if isinstance(one, SignalInput))
    return Projections(bands, frozenset(one.name for one in inputs if one.source != "binary"))


def _check_sizes(projections: contract.Projections) -> None:
    scores, mappings = projections.scores or [], projections.mappings or []
    check_unique(f"{_PLACE}.scores", [score.name for score in scores])
    check_unique(f"{_PLACE}.mappings", [mapping.name for mapping in mappings])
    if len(scores) > MAX_SCORES or sum(len(mapping.outputs) for mapping in mappings) > MAX_BANDS:
        raise config_error(_PLACE, f"it has more than {MAX_SCORES} scores or {MAX_BANDS} outputs")
    for i, score in enumerate(scores):
        if not 0 < len(score.inputs) <= MAX_INPUTS:
            raise config_error(f"{_PLACE}.scores[{i}].inputs", f"must have 1 to {MAX_INPUTS} entries")


def _inputs(
    place: str, score: contract.ProjectionScore, leaf: Leaf, source_of: Mapping[str, str]
) -> tuple[SignalInput | ScoreInput, ...]:
    return tuple(_input(f"{place}.inputs[{i}]", one, leaf, source_of) for i, one in enumerate(score.inputs))


def _input(
    place: str, one: contract.ProjectionInput, leaf: Leaf, source_of: Mapping[str, str]
) -> SignalInput | ScoreInput:
    """Return one input of a score."""
    if not all(math.isfinite(number) for number in (one.weight, one.match or 0.0, one.miss or 0.0)):
        raise config_error(place, "its numbers must be finite")
    if one.kb is not None or one.metric is not None:
        raise config_error(place, "knowledge bases are not executed; remove the input")
    if one.name is None:
        raise config_error(place, "names no signal")
    if one.type == "projection":
        if one.value_source in {"binary", "raw"}:
            raise config_error(place, "the value_source of a projection is score or confidence")
        band = one.value_source == "confidence"
        if band and one.name not in source_of:
            raise config_error(place, f"no mapping has an output {one.name!r}")
        return ScoreInput(one.name, one.weight, band)
    if one.value_source == "score":
        raise config_error(place, "the value_source of a signal is binary, confidence or raw")
    try:
        reference = contract.RuleLeaf.model_validate({"type": one.type, "name": one.name})
    except ValueError:
        raise config_error(place, f"signals of type {one.type} are not executed here") from None
    condition, source = leaf(reference), one.value_source or "binary"
    if source == "raw" and one.type not in _MEASURING:
        return SignalInput(condition, one.weight, "binary", match=0.0, miss=0.0)
    name = (one.type, one.name)
    # In the stock router a match of 0 means 1, because that is how it reads a missing number.
    return SignalInput(condition, one.weight, source, name, one.match or 1.0, one.miss or 0.0)


def _mapping(place: str, mapping: contract.ProjectionMapping) -> BandMapping:
    slope = (mapping.calibration and mapping.calibration.slope) or 0.0
    if not math.isfinite(slope):
        raise config_error(f"{place}.calibration.slope", "must be finite")
    bands = tuple(_band(f"{place}.outputs[{i}]", output, slope) for i, output in enumerate(mapping.outputs))
    return BandMapping(bands, mapping.method == "multi_emit")


def _band(place: str, output: contract.ProjectionOutput, slope: float) -> Band:
    edges = tuple(edge for edge in (output.gt, output.gte, output.lt, output.lte) if edge is not None)
    if not edges or not all(map(math.isfinite, edges)):
        raise config_error(place, "needs at least one of gt, gte, lt and lte, all of them finite")
    if (output.gt is not None and output.gte is not None) or (output.lt is not None and output.lte is not None):
        raise config_error(place, "has two bounds at one end; keep gt or gte, and lt or lte")
    low = -math.inf if output.gt is None and output.gte is None else output.gt if output.gte is None else output.gte
    high = math.inf if output.lt is None and output.lte is None else output.lt if output.lte is None else output.lte
    bounds = Bounds(_number(low), _number(high), output.gt is not None, output.lt is not None)
    return Band(output.name, bounds, edges, slope if slope > 0 else SLOPE)


def _number(bound: float | None) -> float:
    return 0.0 if bound is None else bound


def _needs(score: ProjectedScore, source_of: Mapping[str, str], scores: Mapping[str, ProjectedScore]) -> set[str]:
    """Return the scores that a score reads."""
    needs = {source_of[one.name] if one.band else one.name for one in score.inputs if isinstance(one, ScoreInput)}
    if unknown := sorted(needs - scores.keys()):
        raise config_error(f"{_PLACE}.scores: {score.name}", f"reads the score {unknown[0]!r}, which is not defined")
    return needs


def _order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the scores, each behind those that it reads; otherwise in the order of the config."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise config_error(f"{_PLACE}.scores", f"scores depend on each other: {circle}") from None


def _needed(
    name: str, scores: Mapping[str, ProjectedScore], needs: Mapping[str, Iterable[str]], order: Iterable[str]
) -> Projection:
    """Return a score with all that it needs, in order."""
    needed, left = {name}, [name]
    while left:
        further = [each for each in needs[left.pop()] if each not in needed]
        needed.update(further)
        left += further
    return Projection(tuple(scores[each] for each in order if each in needed))
