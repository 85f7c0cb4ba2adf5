"""Reads OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.program.apis.parts import history, read_content, read_items, read_messages, total
from runtime.program.view import UnreadableError, View


def view_of_chat(body: Mapping[str, object]) -> View:
    """The view of a chat. The turn is the last message whose role is ``user``.

    Raises:
        UnreadableError: messages, content or tools have another shape than the API documents.
    """
    messages = read_messages(body)
    contents = [read_content(message.get("content"), "messages") for message in messages]
    roles = tuple([str(message["role"]) for message in messages])
    last = next((i for i in range(len(roles) - 1, -1, -1) if roles[i] == "user"), None)
    size, images = total(contents)
    return View(
        turn="" if last is None else contents[last].text,
        size=size,
        roles=roles,
        tools=len(read_items(body, "tools")) + len(read_items(body, "functions")),
        tool_calls=sum(map(_calls, messages)),
        images=images,
        history=history(contents),
    )


def _calls(message: Mapping[str, object]) -> int:
    """The calls of an assistant's message, the older single one among them."""
    if message["role"] != "assistant":
        return 0
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise UnreadableError("'tool_calls' must be a list", "messages")
    return len(calls or ()) + (message.get("function_call") is not None)
