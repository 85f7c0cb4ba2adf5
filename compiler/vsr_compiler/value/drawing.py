"""Draws accuracy over cost as SVG: single models, their mixtures, the oracle's curve, and policies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vsr_compiler.value.measure import Point, upper_hull

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 64, 150, 24, 48
SHOWN = 24
"""Code points of a label."""
_STEPS = (1, 2, 2.5, 5, 10)
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with a label: its class, its text, its place."""

    kind: str
    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A number on an axis."""

    text: str
    at: float


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("vsr_compiler.value", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("value.svg.j2")


def drawn(points: Sequence[tuple[str, str, Point]], models: Sequence[Point], curve: Sequence[Point], title: str) -> str:
    """Return a drawing.

    Args:
        points: Kinds (``model``, ``policy``, ``random`` or ``oracle``), names, and places.
        models: The places of single models, for their mixtures.
        curve: The oracle's curve.
        title: What the drawing shows.
    """
    every = [place for _, _, place in points] + list(curve)
    x = _Axis(0.0, max(cost for cost, _ in every) or 1.0, LEFT, WIDTH - RIGHT)
    lowest, highest = min(score for _, score in every), max(score for _, score in every)
    y = _Axis(lowest, highest if highest > lowest else lowest + 1, HEIGHT - BOTTOM, TOP)
    marks = [Mark(kind, _clipped(name), x.at(cost), y.at(score)) for kind, name, (cost, score) in points]
    return (
        _template().render(
            title=title,
            width=WIDTH,
            height=HEIGHT,
            left=LEFT,
            right=WIDTH - RIGHT,
            top=TOP,
            bottom=HEIGHT - BOTTOM,
            marks=marks,
            oracle=_path(curve, x, y),
            mixtures=_path(upper_hull(models), x, y),
            across=x.ticks(),
            up=y.ticks(),
        )
        + "\n"
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """A scale from the least and the greatest value to places."""

    least: float
    greatest: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value, with one decimal."""
        return round(self.begin + (value - self.least) / (self.greatest - self.least) * (self.end - self.begin), 1)

    def ticks(self) -> list[Tick]:
        """Return round numbers between the ends."""
        power = 10.0 ** math.floor(math.log10((self.greatest - self.least) / MOST_TICKS))
        step = next(power * one for one in _STEPS if (self.greatest - self.least) / (power * one) <= MOST_TICKS)
        first = math.ceil(round(self.least / step, 9))
        last = math.floor(round(self.greatest / step, 9))
        return [Tick(f"{number * step:.6g}", self.at(number * step)) for number in range(first, last + 1)]


def _path(points: Sequence[Point], x: _Axis, y: _Axis) -> str:
    return "M" + "L".join(f"{x.at(cost)} {y.at(score)}" for cost, score in points)


def _clipped(name: str) -> str:
    return name if len(name) <= SHOWN else f"{name[: SHOWN - 1]}\u2026"
