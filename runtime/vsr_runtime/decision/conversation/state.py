"""State that a request refers to and that only one provider holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

STATE_FIELDS = ("previous_response_id", "conversation", "prompt", "container", "thread_id")
"""Top-level fields that name stored state.

Sources: OpenAI's API reference, responses (``previous_response_id``, ``conversation``, ``prompt``: a stored template)
and threads (``thread_id``); Anthropic's, messages (``container``: a running sandbox). In completions, ``prompt`` is
text.
"""
_STORED_ITEM = "item_reference"
"""The type of an item of ``input`` that stands for a stored one (OpenAI, responses)."""
_FILE = "file_id"
"""The field that names an uploaded file (OpenAI's and Anthropic's Files APIs)."""
_FILE_PARTS = frozenset(
    {"container_upload", "document", "file", "image", "image_file", "input_audio", "input_file", "input_image"}
)
"""Types of content parts that may have such a field, by themselves or in one of `_FILE_HOLDERS`."""
_FILE_HOLDERS = ("file", "source", "image_file", "image_url", "input_audio")


def held_state(values: Mapping[str, object], text: str) -> str | None:
    """Return the name of a field by which a request refers to state at a provider; None if it has none.

    Args:
        values: the body.
        text: its text.
    """
    for name in STATE_FIELDS:
        value = values.get(name)
        if value is None:
            continue
        if isinstance(value, Mapping):
            value = value.get("id") or value.get("prompt_id")
        elif name == "prompt":
            continue
        if isinstance(value, str) and value:
            return name
    if f'"{_STORED_ITEM}"' in text and _has_stored_item(values.get("input")):
        return _STORED_ITEM
    return _FILE if f'"{_FILE}"' in text and any(map(_has_file, _parts(values))) else None


def _has_stored_item(items: object) -> bool:
    return any(item.get("type") == _STORED_ITEM for item in _objects(items))


def _parts(values: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the content parts of all messages, and those in results of tools."""
    for name in ("messages", "input"):
        for message in _objects(values.get(name)):
            yield message
            for part in (*_objects(message.get("content")), *_objects(message.get("output"))):
                yield part
                yield from _objects(part.get("content"))


def _has_file(part: Mapping[str, object]) -> bool:
    if part.get("type") not in _FILE_PARTS:
        return False
    holders = [part, *(part[name] for name in _FILE_HOLDERS if isinstance(part.get(name), Mapping))]
    return any(isinstance(holder, Mapping) and holder.get(_FILE) for holder in holders)


def _objects(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
