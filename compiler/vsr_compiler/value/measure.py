"""Measures ways to choose a model for each prompt of a table: accuracy, cost, regret, and their yardsticks."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from vsr_compiler.value.table import Row, Table

Z = 1.959963984540054
"""Standard deviations of a normal distribution that hold 95 %."""
DRAWS = 200
"""Random choosers that are drawn."""
STEPS = 50
"""Points of the oracle's curve."""
NONE = -1
"""The choice of a policy that refuses a prompt: no answer, no cost."""
Point = tuple[float, float]
"""A cost and an accuracy, both as a mean over all prompts."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a way to choose gives. All numbers are means over the prompts; intervals hold 95 %.

    Attributes:
        name: What chooses.
        accuracy: The score of the chosen answers.
        accuracy_low: The lower end of its interval.
        accuracy_high: The upper end of its interval.
        cost: The cost of the chosen answers.
        cost_low: The lower end of its interval.
        cost_high: The upper end of its interval.
        regret: The score that the oracle has more.
        regret_low: The lower end of its interval.
        regret_high: The upper end of its interval.
        refused: The share of prompts that are answered by no model.
        shares: The share of prompts that each model gets, in the order of the table.
    """

    name: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    cost: float
    cost_low: float
    cost_high: float
    regret: float
    regret_low: float
    regret_high: float
    refused: float
    shares: tuple[float, ...]


def always(table: Table, model: int) -> list[int]:
    """Choose one model for all prompts."""
    return [model] * len(table.rows)


def best_model(table: Table) -> int:
    """Return the model with the highest accuracy; the cheapest of several, then the first."""
    return min(range(len(table.models)), key=lambda model: (-_mean(table, model)[1], _mean(table, model)[0], model))


def cheapest_model(table: Table) -> int:
    """Return the model with the lowest cost; the best of several, then the first."""
    return min(range(len(table.models)), key=lambda model: (_mean(table, model)[0], -_mean(table, model)[1], model))


def _mean(table: Table, model: int) -> Point:
    return fmean(row.costs[model] for row in table.rows), fmean(row.scores[model] for row in table.rows)


def oracle(table: Table) -> list[int]:
    """Choose the model with the best answer for each prompt; the cheapest of several, then the first."""
    return [_best(row) for row in table.rows]


def _best(row: Row) -> int:
    return min(range(len(row.scores)), key=lambda model: (-row.scores[model], row.costs[model], model))


def measured(name: str, table: Table, choices: Sequence[int]) -> Result:
    """Return what some choices give, with normal intervals over the prompts, as if those were drawn from more."""
    scores = [_score(row, choice) for row, choice in zip(table.rows, choices, strict=True)]
    costs = [0.0 if choice == NONE else row.costs[choice] for row, choice in zip(table.rows, choices, strict=True)]
    regrets = [max(row.scores) - score for row, score in zip(table.rows, scores, strict=True)]
    return Result(
        name,
        *_interval(scores),
        *_interval(costs),
        *_interval(regrets),
        sum(choice == NONE for choice in choices) / len(choices),
        tuple(sum(choice == model for choice in choices) / len(choices) for model in range(len(table.models))),
    )


def random_choice(table: Table, seed: int) -> Result:
    """Return what choosing evenly at random gives: the mean of many seeded draws; intervals are of single draws."""
    draw = random.Random(seed)  # noqa: S311 - the same draws in every run
    models = range(len(table.models))
    drawn = [measured("", table, draw.choices(models, k=len(table.rows))) for _ in range(DRAWS)]
    return Result(
        "random",
        *_spread([one.accuracy for one in drawn]),
        *_spread([one.cost for one in drawn]),
        *_spread([one.regret for one in drawn]),
        0.0,
        tuple(1 / len(models) for _ in models),
    )


def by_group(table: Table, choices: Sequence[int]) -> dict[str, tuple[int, float, float]]:
    """Return for each group its number of prompts, the accuracy of some choices, and that of the oracle."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for row, choice in zip(table.rows, choices, strict=True):
        groups.setdefault(row.group, []).append((_score(row, choice), max(row.scores)))
    return {
        name: (len(pairs), fmean(pair[0] for pair in pairs), fmean(pair[1] for pair in pairs))
        for name, pairs in sorted(groups.items())
    }


def recovered(result: Result, best: Result, cheapest: Result) -> float | None:
    """Return the part of the gap between the cheapest and the best model that a result closes; None without a gap."""
    gap = best.accuracy - cheapest.accuracy
    return (result.accuracy - cheapest.accuracy) / gap if gap > 0 else None


def mixed_accuracy(points: Sequence[Point], cost: float) -> float | None:
    """Return the accuracy of the best random mixture of single models at a cost; None below the cheapest."""
    hull = upper_hull(points)
    if cost < hull[0][0]:
        return None
    for (left, low), (right, high) in pairwise(hull):
        if cost <= right:
            return low + (high - low) * (cost - left) / (right - left)
    return hull[-1][1]


def upper_hull(points: Sequence[Point]) -> list[Point]:
    """Return the points that no mixture of others beats, by cost.

    >>> upper_hull([(1, 0.2), (2, 0.3), (3, 0.8), (4, 0.7)])
    [(1, 0.2), (3, 0.8)]
    """
    hull: list[Point] = []
    best = -math.inf
    for point in sorted(points, key=lambda one: (one[0], -one[1])):
        if point[1] <= best:
            continue
        best = point[1]
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_up(first: Point, middle: Point, last: Point) -> bool:
    return (middle[1] - first[1]) * (last[0] - first[0]) <= (last[1] - first[1]) * (middle[0] - first[0])


def oracle_curve(table: Table) -> list[Point]:
    """Return the best accuracy at each cost, by moving prompts from the cheapest model where most is gained for least.

    It knows all answers, so no policy is above it. Greedy by gain for cost: at its points it is the optimum of the
    choice between the cheapest model and each prompt's best answer.
    """
    cheap = cheapest_model(table)
    total = len(table.rows)
    cost = sum(row.costs[cheap] for row in table.rows)
    score = sum(row.scores[cheap] for row in table.rows)
    moves = []
    for row in table.rows:
        best = _best(row)
        gained, extra = row.scores[best] - row.scores[cheap], row.costs[best] - row.costs[cheap]
        if gained > 0:
            moves.append((math.inf if extra <= 0 else gained / extra, gained, extra))
        elif extra < 0:
            moves.append((math.inf, 0.0, extra))
    moves.sort(key=lambda move: -move[0])
    points = [(cost / total, score / total)]
    every = max(1, len(moves) // STEPS)
    for number, (_, gained, extra) in enumerate(moves, 1):
        cost, score = cost + extra, score + gained
        if number % every == 0 or number == len(moves):
            points.append((cost / total, score / total))
    return points


def _score(row: Row, choice: int) -> float:
    return 0.0 if choice == NONE else row.scores[choice]


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    mean = fmean(values)
    if len(values) < 2:  # noqa: PLR2004 - a deviation takes two
        return mean, mean, mean
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    reach = Z * deviation / math.sqrt(len(values))
    return mean, mean - reach, mean + reach


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    ranked = sorted(values)
    last = len(ranked) - 1
    return fmean(ranked), ranked[round(0.025 * last)], ranked[round(0.975 * last)]
