"""The texts and mappings in an object, with their paths."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Body, Path


def texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every string below a value with its path, in the order of the file."""
    stack: list[tuple[object, Path]] = [(value, path)]
    while stack:
        node, at = stack.pop()
        if isinstance(node, str):
            yield at, node
        elif isinstance(node, dict):
            stack += [(child, (*at, str(key))) for key, child in reversed(node.items())]
        elif isinstance(node, list):
            stack += [(child, (*at, number)) for number, child in reversed(list(enumerate(node)))]


def mappings(value: object, path: Path) -> Iterator[tuple[Path, Body]]:
    """Yield every mapping below a value with its path."""
    stack: list[tuple[object, Path]] = [(value, path)]
    while stack:
        node, at = stack.pop()
        if isinstance(node, dict):
            yield at, node
            stack += [(child, (*at, str(key))) for key, child in node.items() if isinstance(child, dict | list)]
        elif isinstance(node, list):
            stack += [(child, (*at, number)) for number, child in enumerate(node) if isinstance(child, dict | list)]
