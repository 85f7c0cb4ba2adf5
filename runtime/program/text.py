"""Finds the text of a request by which it is classified: the last user turn."""

from __future__ import annotations

from collections.abc import Mapping

TEXT_PARTS = ("text", "input_text")
"""The types of a content part that carry text. Parts of other types (images, audio) have none to read."""


class UnreadableError(ValueError):
    """The request's text is not in the form that the API documents. ``param`` names the field."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


def text_of_chat(body: Mapping[str, object]) -> str:
    """The text of the last message whose role is ``user``, its text parts joined by newlines.

    Empty where there is no user turn or where it holds no text.

    Raises:
        UnreadableError: messages or content have another shape than OpenAI's chat completions document.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise UnreadableError("'messages' must be a non-empty list", "messages")
    last: object = None
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise UnreadableError(f"'messages[{i}]' must be an object with a 'role'", "messages")
        if message["role"] == "user":
            last = message.get("content")
    return _content(last)


def text_of_completion(body: Mapping[str, object]) -> str:
    """The text of ``prompt``: a string, or several joined by newlines.

    Raises:
        UnreadableError: the prompt is missing, or is given as token ids, which nobody here can read.
    """
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list) and prompt and all(isinstance(text, str) for text in prompt):
        return "\n".join(prompt)
    raise UnreadableError("'prompt' must be text; token ids need a model name instead of an auto name", "prompt")


def _content(content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise UnreadableError("'content' must be a string or a list of parts", "messages")
    texts: list[str] = []
    for part in content:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise UnreadableError("each part of 'content' must be an object with a 'type'", "messages")
        if part["type"] not in TEXT_PARTS:
            continue
        if not isinstance(part.get("text"), str):
            raise UnreadableError("a text part of 'content' must have a string 'text'", "messages")
        texts.append(part["text"])
    return "\n".join(texts)
