"""Reads OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.content import Content, read_content, read_items, read_messages, total_content, utf8_size
from vsr_runtime.decision.view import InvalidRequestError, RequestView


def view_of_chat(body: Mapping[str, object]) -> RequestView:
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
            calls += _count_tool_calls(message)
    history, size, images = total_content(contents)
    tools = len(read_items(body, "tools")) + len(read_items(body, "functions"))
    return RequestView(last.text if last else "", size, tuple(roles), tools, calls, images, history)


def _count_tool_calls(message: Mapping[str, object]) -> int:
    """The calls of an assistant's message, the older single one among them."""
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise InvalidRequestError("'tool_calls' must be a list", "messages")
    return len(calls or ()) + (message.get("function_call") is not None)


def view_of_completion(body: Mapping[str, object]) -> RequestView:
    """The view of a completion: ``prompt`` is a text or several, joined by newlines, and counts as one user message.

    Raises:
        UnreadableError: the prompt is missing, or is given as token ids, which nobody here can read.
    """
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        return RequestView(prompt, utf8_size(prompt), ("user",), history=(prompt,))
    if isinstance(prompt, list) and prompt and all(isinstance(text, str) for text in prompt):
        return RequestView("\n".join(prompt), sum(map(utf8_size, prompt)), ("user",), history=tuple(prompt))
    raise InvalidRequestError("'prompt' must be text; token ids need a model name instead of an auto name", "prompt")


def view_of_response(body: Mapping[str, object]) -> RequestView:
    """The view of a response's input: a text, or items of which messages and results of tools are read.

    ``instructions`` count as a system message. What the server remembers of earlier turns is not there to be read.

    Raises:
        UnreadableError: input, items or tools have another shape than the API documents.
    """
    instructions = body.get("instructions")
    if instructions is not None and not isinstance(instructions, str):
        raise InvalidRequestError("'instructions' must be text", "instructions")
    roles = ["system"] if instructions else []
    contents = [Content((instructions,))] if instructions else []
    turn, calls = "", 0
    for item in _read_input(body.get("input")):
        kind = item.get("type", "message")
        if kind == "message":
            role, content = _read_item_message(item)
            turn = content.text if role == "user" else turn
        elif kind == "function_call_output":
            role, content = "tool", read_content(item.get("output"), "input")
        else:
            calls += kind == "function_call"
            continue
        roles.append(role)
        contents.append(content)
    history, length, images = total_content(contents)
    return RequestView(turn, length, tuple(roles), len(read_items(body, "tools")), calls, images, history)


def _read_input(given: object) -> list[Mapping[str, object]]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise InvalidRequestError("'input' must be text or a non-empty list of items", "input")
    for i, item in enumerate(given):
        if not isinstance(item, dict) or not isinstance(item.get("type", "message"), str):
            raise InvalidRequestError(f"'input[{i}]' must be an object with a 'type' or a 'role'", "input")
    return given


def _read_item_message(item: Mapping[str, object]) -> tuple[str, Content]:
    role = item.get("role")
    if not isinstance(role, str):
        raise InvalidRequestError("a message of 'input' must have a 'role'", "input")
    return role, read_content(item.get("content"), "input")
