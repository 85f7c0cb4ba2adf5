"""Reads OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.parts import Content, read_content, read_items, read_messages, total
from vsr_runtime.decision.view import UnreadableError, View


def view_of_chat(body: Mapping[str, object]) -> View:
    """The view of a chat. The turn is the last message whose role is ``user``.

    Raises:
        UnreadableError: messages, content or tools have another shape than the API documents.
    """
    contents: list[Content] = []
    roles: list[str] = []
    last: Content | None = None
    calls = 0
    for message in read_messages(body):
        content, role = read_content(message.get("content"), "messages"), str(message["role"])
        contents.append(content)
        roles.append(role)
        if role == "user":
            last = content
        elif role == "assistant":
            calls += _calls(message)
    history, size, images = total(contents)
    tools = len(read_items(body, "tools")) + len(read_items(body, "functions"))
    return View(last.text if last else "", size, tuple(roles), tools, calls, images, history)


def _calls(message: Mapping[str, object]) -> int:
    """The calls of an assistant's message, the older single one among them."""
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise UnreadableError("'tool_calls' must be a list", "messages")
    return len(calls or ()) + (message.get("function_call") is not None)
