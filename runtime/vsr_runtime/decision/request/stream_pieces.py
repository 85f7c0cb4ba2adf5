"""The pieces of longer texts in the events of a stream, for all APIs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
ARGUMENT_FIELDS = frozenset({"arguments", "partial_json"})
"""Texts that are themselves JSON: values that are restored there are encoded once more."""
WHOLE_FIELDS = frozenset({"call_id", "encrypted_content", "id", "name", "role", "signature", "tool_call_id", "type"})
"""Fields of a delta that are never split."""
_CHANNEL_FIELDS = ("type", "item_id", "output_index", "content_index", "summary_index", "index")
_ITEM_ENDS = (".done", "_block_stop")
_ALL_ENDS = (".completed", ".incomplete", ".failed", "message_stop", "message_delta")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of a text: the text's identity, the piece's path in the event, and its content.

    ``scope`` is the choice or item whose end also ends the text. ``inside`` is whether the text is itself JSON.
    """

    channel: Hashable
    scope: Hashable
    path: Path
    text: str
    inside: bool = False

    @property
    def field(self) -> str:
        """The field that the text is in, as in documents."""
        if self.inside:
            return "arguments"
        kind = str(self.channel[0]) if isinstance(self.channel, tuple) and self.channel else ""
        return "reasoning" if "reasoning" in kind else str(self.path[-1])


def text_pieces(values: Mapping[str, Any]) -> Iterator[TextPiece]:
    """Yield the pieces in an event."""
    choices = values.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            scope = ("choice", _index_of(choice, position))
            yield from _pieces_within(choice.get("delta"), scope, scope, ("choices", position, "delta"))
            if isinstance(choice.get("text"), str):
                yield TextPiece((*scope, "text"), scope, ("choices", position, "text"), choice["text"])
    delta = values.get("delta")
    channel = tuple(str(values.get(key)) for key in _CHANNEL_FIELDS)
    if isinstance(delta, str):
        yield TextPiece(channel, _item_scope(values), ("delta",), delta, "_arguments" in str(values.get("type")))
    else:
        yield from _pieces_within(delta, channel, _item_scope(values), ("delta",))


def _pieces_within(node: object, channel: tuple[Hashable, ...], scope: Hashable, path: Path) -> Iterator[TextPiece]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str):
                if key not in WHOLE_FIELDS and value:
                    yield TextPiece((*channel, key), scope, (*path, key), value, key in ARGUMENT_FIELDS)
            else:
                yield from _pieces_within(value, (*channel, key), scope, (*path, key))
    elif isinstance(node, list):
        for position, item in enumerate(node):
            number = _index_of(item, position) if isinstance(item, dict) else position
            yield from _pieces_within(item, (*channel, number), scope, (*path, position))


def message_of(scope: Hashable) -> Hashable:
    """Return the message that a scope belongs to: each choice is one, and all items of a response are one."""
    return scope if isinstance(scope, tuple) and scope[0] == "choice" else None


def _index_of(item: Mapping[str, Any], position: int) -> int:
    """Return the number of a choice or call: its index, otherwise its position."""
    index = item.get("index")
    return index if isinstance(index, int) else position


def _item_scope(values: Mapping[str, Any]) -> Hashable:
    """Return the output or block that an event belongs to."""
    position = values.get("output_index", values.get("index"))
    return ("item", position if isinstance(position, int) else None)


def ended_scopes(values: Mapping[str, Any]) -> Iterator[Hashable]:
    """Yield the scopes that end with an event; None means all. An empty finish reason does not end anything."""
    choices = values.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and choice.get("finish_reason"):
            yield ("choice", _index_of(choice, position))
    kind = values.get("type")
    if isinstance(kind, str) and kind.endswith(_ITEM_ENDS):
        yield _item_scope(values)
        yield ("item", None)
    elif isinstance(kind, str) and kind.endswith(_ALL_ENDS):
        yield None


def put_text(values: Any, path: Path, text: str) -> None:  # noqa: ANN401 - any JSON document
    """Write a text at a path of an event."""
    for step in path[:-1]:
        values = values[step]
    values[path[-1]] = text
