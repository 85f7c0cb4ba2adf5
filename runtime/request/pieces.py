"""Which texts of a streamed event are pieces of a longer one, and where they stand: in all four APIs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
WHOLE = frozenset({"call_id", "encrypted_content", "id", "name", "role", "signature", "tool_call_id", "type"})
"""Fields of a delta that come in one piece."""
_PLACE = ("type", "item_id", "output_index", "content_index", "summary_index", "index")
_ENDS = (".done", ".completed", ".incomplete", ".failed", "_stop")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text: which text, where the piece stands in the event, and what it says.

    ``scope`` is what an end ends: a choice, or None for what ends with the rest.
    """

    channel: Hashable
    scope: Hashable
    path: Path
    text: str


def pieces(values: Mapping[str, Any]) -> Iterator[Piece]:
    """The pieces of an event."""
    choices = values.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            scope = ("choice", choice.get("index", place))
            yield from _within(choice.get("delta"), scope, scope, ("choices", place, "delta"))
            if isinstance(choice.get("text"), str):
                yield Piece((*scope, "text"), scope, ("choices", place, "text"), choice["text"])
    delta = values.get("delta")
    own = tuple(str(values.get(key)) for key in _PLACE)
    if isinstance(delta, str):
        yield Piece(own, None, ("delta",), delta)
    else:
        yield from _within(delta, own, None, ("delta",))


def _within(node: object, channel: tuple[Hashable, ...], scope: Hashable, path: Path) -> Iterator[Piece]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str):
                if key not in WHOLE and value:
                    yield Piece((*channel, key), scope, (*path, key), value)
            else:
                yield from _within(value, (*channel, key), scope, (*path, key))
    elif isinstance(node, list):
        for place, item in enumerate(node):
            number = item.get("index", place) if isinstance(item, dict) else place
            yield from _within(item, (*channel, number), scope, (*path, place))


def ended(values: Mapping[str, Any]) -> Iterator[Hashable]:
    """The scopes that end with an event; None is all."""
    choices = values.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and choice.get("finish_reason") is not None:
            yield ("choice", choice.get("index", place))
    kind = values.get("type")
    if isinstance(kind, str) and (kind.endswith(_ENDS) or kind == "message_delta"):
        yield None


def put(values: Any, path: Path, text: str) -> None:  # noqa: ANN401 - any JSON document
    """Write a text at a place of an event."""
    for step in path[:-1]:
        values = values[step]
    values[path[-1]] = text
