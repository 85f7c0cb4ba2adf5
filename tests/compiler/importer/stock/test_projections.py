"""Weighted sums of signals as formulas."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from support.imports import HEAD, imported, places, policy_of, routes

NAMES = ("a", "b", "c", "d")
SIGNALS = "  signals:\n    keywords:\n" + "".join(
    f"      - {{name: {name}, operator: OR, keywords: [word-{name}]}}\n" for name in NAMES
)


def holds(condition: Any, facts: dict[str, bool]) -> bool:
    """Whether a condition of the policy holds, given which signals do."""
    if condition == "always":
        return True
    [(key, value)] = condition.items()
    match key:
        case "all":
            return all(holds(part, facts) for part in value)
        case "any":
            return any(holds(part, facts) for part in value)
        case "not":
            return not holds(value, facts)
        case _:
            return facts[value]


def config(inputs: str, outputs: str, name: str = "wanted", method: str = "threshold_bands") -> str:
    """A configuration whose only decision tests an output."""
    return (
        HEAD
        + SIGNALS
        + f"  projections:\n    scores: [{{name: s, method: weighted_sum, inputs: [{inputs}]}}]\n"
        + f"    mappings: [{{name: m, source: s, method: {method}, outputs: [{outputs}]}}]\n"
        + "  decisions:\n    - {name: x, priority: 1, modelRefs: [{model: large}], "
        + f"rules: {{operator: AND, conditions: [{{type: projection, name: {name}}}]}}}}\n"
    )


WEIGHTS = (
    {"a": (0.5, 1, 0), "b": (0.3, 1, 0), "c": (0.2, 1, 0)},
    {"a": (1, 1, 0), "b": (-1, 1, 0), "c": (0.5, 2, -1), "d": (0.25, 1, 0)},
    {"a": (0.4, 1, 0), "b": (0.4, 1, 0), "c": (0.4, 1, 0), "d": (0.4, 1, 0)},
)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("bound", [-1.5, -0.5, 0.1, 0.5, 0.8, 1.2])
def test_a_formula_holds_exactly_if_the_sum_is_within_its_bounds(
    tmp_path: Path, weights: dict[str, tuple[float, float, float]], bound: float
) -> None:
    """For every combination of signals, for bounds from below and for the second of two bands."""
    inputs = ", ".join(
        f"{{type: keyword, name: {name}, weight: {weight}, match: {match}, miss: {miss}}}"
        for name, (weight, match, miss) in weights.items()
    )
    outputs = f"{{name: low, lt: {bound}}}, {{name: wanted, gte: {bound}}}"
    for name, expected in (("wanted", True), ("low", False)):
        found = {key: when for key, when, _ in routes(imported(tmp_path, config(inputs, outputs, name)))}
        for values in itertools.product([False, True], repeat=len(weights)):
            facts = dict(zip(weights, values, strict=True))
            total = sum(w * (match if facts[key] else miss) for key, (w, match, miss) in weights.items())
            truth = (round(total, 9) >= bound) == expected
            assert ("x" in found and holds(found["x"], facts)) == truth, (bound, facts, name)


def test_an_earlier_band_excludes_a_later_one_unless_all_are_emitted(tmp_path: Path) -> None:
    """Threshold bands emit the first that matches."""
    inputs = "{type: keyword, name: a, weight: 1}, {type: keyword, name: b, weight: 1}"
    outputs = "{name: high, gte: 2}, {name: wanted, gte: 1}"
    [(_, first, _)] = routes(imported(tmp_path, config(inputs, outputs)))
    [(_, every, _)] = routes(imported(tmp_path, config(inputs, outputs, method="multi_emit")))
    both = {"a": True, "b": True}
    assert not holds(first, both)
    assert holds(every, both)


def test_a_sum_that_needs_a_value_is_lost_by_name(tmp_path: Path) -> None:
    """A similarity has another value for each prompt."""
    text = config("{type: embedding, name: near, weight: 1, value_source: confidence}", "{name: wanted, gte: 0.5}")
    result = imported(tmp_path, text)
    [(_, message)] = places(result, "VSR524")
    assert "depends on the value of `near`" in message


def test_a_lost_sum_with_a_detector_in_it_is_an_error(tmp_path: Path) -> None:
    """It is a protection, whatever its other inputs are."""
    inputs = "{type: embedding, name: near, weight: 1, value_source: confidence}, {type: pii, name: p, weight: 1}"
    result = imported(tmp_path, config(inputs, "{name: wanted, gte: 0.5}"))
    assert result.failed
    assert len(places(result, "VSR522")) == 1


def test_a_long_sum_is_lost_instead_of_written_without_end(tmp_path: Path) -> None:
    """Work and text are bounded."""
    names = [f"k{number}" for number in range(40)]
    text = config(
        ", ".join(f"{{type: keyword, name: {name}, weight: {index + 1}}}" for index, name in enumerate(names)),
        "{name: wanted, gte: 400}",
    ).replace(
        SIGNALS, "  signals:\n    keywords:\n" + "".join(f"      - {{name: {n}, keywords: [{n}]}}\n" for n in names)
    )
    assert "a score of 40 signals" in places(imported(tmp_path, text), "VSR524")[0][1]


def test_scores_may_contain_scores_but_not_themselves(tmp_path: Path) -> None:
    """A loop is lost, not followed."""
    text = config("{type: projection, name: s, weight: 1}", "{name: wanted, gte: 0.5}")
    assert len(places(imported(tmp_path, text), "VSR524")) == 1
    nested = config("{type: projection, name: t, weight: 2}", "{name: wanted, gte: 2}").replace(
        "    scores: [", "    scores: [{name: t, inputs: [{type: keyword, name: a, weight: 1}]}, "
    )
    assert routes(imported(tmp_path, nested)) == [("x", {"signal": "a"}, "large")]


def test_roles_are_tested_by_their_name_and_bindings_add_up(tmp_path: Path) -> None:
    """A decision names the role; who may send identities must be written."""
    text = HEAD + (
        "  signals:\n    role_bindings:\n"
        "      - {name: one, role: admin, subjects: [{kind: Group, name: platform}]}\n"
        "      - {name: two, role: admin, subjects: [{kind: User, name: ada}]}\n"
        "  decisions:\n    - {name: x, priority: 1, modelRefs: [{model: large}], "
        "rules: {operator: AND, conditions: [{type: authz, name: admin}]}}\n"
    )
    result = imported(tmp_path, text)
    assert policy_of(result)["signals"]["admin"] == {"role": {"users": ["ada"], "groups": ["platform"]}}
    assert policy_of(result)["identity"]["gatewayHeader"]["from"] == ["127.0.0.1/32"]
    assert not result.failed
