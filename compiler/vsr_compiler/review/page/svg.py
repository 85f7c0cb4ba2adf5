"""Places a drawing on a plane: boxes in columns, lines as curves."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.review.page.model import Drawing

WIDTH, HEIGHT, GAP_X, GAP_Y, TOP = 150, 26, 60, 8, 30
SHOWN = 20
"""Code points of a box's text. Its title has all of it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its place, its class, its text and its title."""

    x: int
    y: int
    kind: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line: its path, its title, and whether it is dashed."""

    path: str
    title: str
    dashed: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with places. ``heads`` are pairs of a column's x and its title."""

    title: str
    width: int
    height: int
    heads: tuple[tuple[int, str], ...]
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]


def picture(drawing: Drawing) -> Picture:
    """Return a drawing with the places of its boxes. Each column is centred."""
    sizes = [sum(node.column == column for node in drawing.nodes) for column in range(len(drawing.columns))]
    tallest = max([*sizes, 1])
    placed = [0] * len(drawing.columns)
    boxes = []
    for node in drawing.nodes:
        offset = (tallest - sizes[node.column]) * (HEIGHT + GAP_Y) // 2
        x = node.column * (WIDTH + GAP_X)
        y = TOP + offset + placed[node.column] * (HEIGHT + GAP_Y)
        placed[node.column] += 1
        text = node.text if len(node.text) <= SHOWN else f"{node.text[: SHOWN - 1]}…"
        boxes.append(Box(x, y, node.kind, text, f"{node.text}: {node.words}" if node.words else node.text))
    curves = []
    for line in drawing.lines:
        start, end = boxes[line.start], boxes[line.end]
        x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
        middle = (x1 + x2) // 2
        names = f"{drawing.nodes[line.start].text} to {drawing.nodes[line.end].text}: {line.words}"
        curves.append(Curve(f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}", names, line.dashed))
    width = len(drawing.columns) * (WIDTH + GAP_X) - GAP_X
    heads = tuple((column * (WIDTH + GAP_X), title) for column, title in enumerate(drawing.columns))
    return Picture(drawing.title, width, TOP + tallest * (HEIGHT + GAP_Y), heads, tuple(boxes), tuple(curves))
