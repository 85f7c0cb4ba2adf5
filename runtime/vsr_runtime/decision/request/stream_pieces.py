"""Which texts of a streamed event are pieces of a longer one, and where they stand: in all four APIs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
ARGUMENT_FIELDS = frozenset({"arguments", "partial_json"})
"""Texts that are JSON themselves: what is put back there is encoded once more."""
WHOLE_FIELDS = frozenset({"call_id", "encrypted_content", "id", "name", "role", "signature", "tool_call_id", "type"})
"""Fields of a delta that come in one piece."""
_CHANNEL_FIELDS = ("type", "item_id", "output_index", "content_index", "summary_index", "index")
_ITEM_ENDS = (".done", "_block_stop")
_ALL_ENDS = (".completed", ".incomplete", ".failed", "message_stop", "message_delta")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of a text: which text, where the piece stands in the event, and what it says.

    ``scope`` is what an end ends: a choice or an item. ``inside`` is whether the text is JSON itself.
    """

    channel: Hashable
    scope: Hashable
    path: Path
    text: str
    inside: bool = False


def text_pieces(values: Mapping[str, Any]) -> Iterator[TextPiece]:
    """The pieces of an event."""
    choices = values.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            scope = ("choice", _index_of(choice, place))
            yield from _pieces_within(choice.get("delta"), scope, scope, ("choices", place, "delta"))
            if isinstance(choice.get("text"), str):
                yield TextPiece((*scope, "text"), scope, ("choices", place, "text"), choice["text"])
    delta = values.get("delta")
    own = tuple(str(values.get(key)) for key in _CHANNEL_FIELDS)
    if isinstance(delta, str):
        yield TextPiece(own, _item_scope(values), ("delta",), delta, "_arguments" in str(values.get("type")))
    else:
        yield from _pieces_within(delta, own, _item_scope(values), ("delta",))


def _pieces_within(node: object, channel: tuple[Hashable, ...], scope: Hashable, path: Path) -> Iterator[TextPiece]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str):
                if key not in WHOLE_FIELDS and value:
                    yield TextPiece((*channel, key), scope, (*path, key), value, key in ARGUMENT_FIELDS)
            else:
                yield from _pieces_within(value, (*channel, key), scope, (*path, key))
    elif isinstance(node, list):
        for place, item in enumerate(node):
            number = _index_of(item, place) if isinstance(item, dict) else place
            yield from _pieces_within(item, (*channel, number), scope, (*path, place))


def _index_of(item: Mapping[str, Any], place: int) -> int:
    """Which choice or call it is: by its index, else by its place, as clients count that know of one only."""
    index = item.get("index")
    return index if isinstance(index, int) else place


def _item_scope(values: Mapping[str, Any]) -> Hashable:
    """The output, or the block, that an event speaks of."""
    place = values.get("output_index", values.get("index"))
    return ("item", place if isinstance(place, int) else None)


def ended_scopes(values: Mapping[str, Any]) -> Iterator[Hashable]:
    """The scopes that end with an event; None is all. An empty reason, as some servers send each time, is none."""
    choices = values.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and choice.get("finish_reason"):
            yield ("choice", _index_of(choice, place))
    kind = values.get("type")
    if isinstance(kind, str) and kind.endswith(_ITEM_ENDS):
        yield _item_scope(values)
        yield ("item", None)
    elif isinstance(kind, str) and kind.endswith(_ALL_ENDS):
        yield None


def put_text(values: Any, path: Path, text: str) -> None:  # noqa: ANN401 - any JSON document
    """Write a text at a place of an event."""
    for step in path[:-1]:
        values = values[step]
    values[path[-1]] = text
