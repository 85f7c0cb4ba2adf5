"""Reads OpenAI's responses."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.parts import Content, read_content, read_items, total
from vsr_runtime.decision.view import UnreadableError, View


def view_of_response(body: Mapping[str, object]) -> View:
    """The view of a response's input: a text, or items of which messages and results of tools are read.

    ``instructions`` count as a system message. What the server remembers of earlier turns is not there to be read.

    Raises:
        UnreadableError: input, items or tools have another shape than the API documents.
    """
    instructions = body.get("instructions")
    if instructions is not None and not isinstance(instructions, str):
        raise UnreadableError("'instructions' must be text", "instructions")
    roles = ["system"] if instructions else []
    contents = [Content((instructions,))] if instructions else []
    turn, calls = "", 0
    for item in _items(body.get("input")):
        kind = item.get("type", "message")
        if kind == "message":
            role, content = _message(item)
            turn = content.text if role == "user" else turn
        elif kind == "function_call_output":
            role, content = "tool", read_content(item.get("output"), "input")
        else:
            calls += kind == "function_call"
            continue
        roles.append(role)
        contents.append(content)
    history, length, images = total(contents)
    return View(turn, length, tuple(roles), len(read_items(body, "tools")), calls, images, history)


def _items(given: object) -> list[Mapping[str, object]]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise UnreadableError("'input' must be text or a non-empty list of items", "input")
    for i, item in enumerate(given):
        if not isinstance(item, dict) or not isinstance(item.get("type", "message"), str):
            raise UnreadableError(f"'input[{i}]' must be an object with a 'type' or a 'role'", "input")
    return given


def _message(item: Mapping[str, object]) -> tuple[str, Content]:
    role = item.get("role")
    if not isinstance(role, str):
        raise UnreadableError("a message of 'input' must have a 'role'", "input")
    return role, read_content(item.get("content"), "input")
