"""Parts of request bodies that several APIs share: content as text or parts, and lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.media_names import READABLE_SOURCES
from vsr_runtime.decision.modalities import MODALITIES
from vsr_runtime.decision.view import InvalidRequestError

_TEXT_FIELDS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
}
"""The content part types that carry text, and the field that holds it."""
_UNTYPED = (
    "text",
    "image_url",
    "input_audio",
    "audio_url",
    "video_url",
    "file",
    "image_embeds",
    "audio_embeds",
    "refusal",
)
"""Keys that say what a part without a type is, as vLLM reads it (`vllm/entrypoints/chat_utils.py`)."""
TEXT_DOCUMENT = "text_document"
"""The type that counts for a document whose text is part of the request."""


@fast_dataclass(frozen=True, slots=True)
class Content:
    """The content of a message: its texts, number of images, and the types of all parts."""

    texts: tuple[str, ...] = ()
    images: int = 0
    kinds: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The texts joined by newlines."""
        return self.texts[0] if len(self.texts) == 1 else "\n".join(self.texts)


def utf8_size(text: str) -> int:
    """Return the number of UTF-8 bytes of a text."""
    return len(text) if text.isascii() else len(text.encode())


def read_content(content: object, param: str) -> Content:
    """Read content: a text, or a list of parts. Parts that carry no text only count by their type.

    A part can be a plain text, and one without a type is of the type that its keys say.

    Raises:
        InvalidRequestError: the content is neither.
    """
    if content is None:
        return Content()
    if isinstance(content, str):
        return Content((content,), 0, ("text",))
    if not isinstance(content, list):
        raise InvalidRequestError("'content' must be a string or a list of parts", param)
    texts: list[str] = []
    kinds: list[str] = []
    for part in content:
        if isinstance(part, str):
            kinds.append("text")
            texts.append(part)
            continue
        kind = _kind(part, param)
        kinds.append(kind)
        if kind in _TEXT_FIELDS:
            texts.append(_text(part, _TEXT_FIELDS[kind], param))
    return Content(tuple(texts), sum(MODALITIES.get(kind) == "image" for kind in kinds), tuple(kinds))


def _kind(part: object, param: str) -> str:
    """Return the type of a part.

    Raises:
        InvalidRequestError: the part is no object, or has no type.
    """
    if not isinstance(part, dict):
        raise InvalidRequestError("each part of 'content' must be a text, or an object with a 'type'", param)
    kind = part.get("type")
    if kind == "document":
        source = part.get("source")
        readable = isinstance(source, dict) and source.get("type") in READABLE_SOURCES
        return TEXT_DOCUMENT if readable else kind
    if isinstance(kind, str):
        return kind
    untyped = next((key for key in _UNTYPED if kind is None and part.get(key) is not None), None)
    if untyped is None:
        raise InvalidRequestError("each part of 'content' must be a text, or an object with a 'type'", param)
    return untyped


def read_items(body: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Return the list of objects in a field; an empty list if the field is missing or null.

    Raises:
        InvalidRequestError: the field holds something else.
    """
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidRequestError(f"'{name}' must be a list of objects", name)
    return value


def read_messages(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the messages, each of which has a role.

    Raises:
        InvalidRequestError: there are no messages, or they have another form.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequestError("'messages' must be a non-empty list", "messages")
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise InvalidRequestError(f"'messages[{i}]' must be an object with a 'role'", "messages")
    return messages


def total_content(contents: Iterable[Content]) -> tuple[tuple[str, ...], int, int]:
    """Return all texts of several contents, their total size in bytes, and the number of images."""
    texts: list[str] = []
    images = 0
    for content in contents:
        texts += content.texts
        images += content.images
    return tuple(texts), utf8_size("".join(texts)), images


def _text(part: Mapping[str, object], field: str, param: str) -> str:
    text = part.get(field)
    if not isinstance(text, str):
        raise InvalidRequestError(f"a text part of 'content' must have a string '{field}'", param)
    return text
