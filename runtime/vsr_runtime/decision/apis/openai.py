"""Readers of OpenAI's APIs: chat completions, completions and responses."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.content import Content, read_content, read_items, read_messages, total_content, utf8_size
from vsr_runtime.decision.ask.rules import AskRules
from vsr_runtime.decision.ask.transcript import Entry, role_of
from vsr_runtime.decision.view import InvalidRequestError, RequestView


def view_of_chat(body: Mapping[str, object], rules: AskRules | None = None) -> RequestView:
    """Return the view of a chat completion request. The turn is the last message with the role ``user``.

    Raises:
        InvalidRequestError: messages, content or tools do not have the documented form.
    """
    contents: list[Content] = []
    roles: list[str] = []
    transcript: list[Entry] = []
    last: Content | None = None
    total = 0
    for index, message in enumerate(read_messages(body)):
        content, role = read_content(message.get("content"), "messages"), str(message["role"])
        contents.append(content)
        roles.append(role)
        calls = 0
        if role == "user":
            last = content
        elif role == "assistant":
            calls = _count_tool_calls(message)
            total += calls
        transcript.append(Entry(role_of(role), content.texts, calls, index, content.kinds))
    history, size, images = total_content(contents)
    tools = len(read_items(body, "tools")) + len(read_items(body, "functions"))
    turn = last.text if last else ""
    return RequestView(turn, size, tuple(roles), tools, total, images, history, tuple(transcript), rules)


def _count_tool_calls(message: Mapping[str, object]) -> int:
    """Return the number of tool calls in an assistant message, including the older ``function_call``."""
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise InvalidRequestError("'tool_calls' must be a list", "messages")
    return len(calls or ()) + (message.get("function_call") is not None)


def view_of_completion(body: Mapping[str, object], rules: AskRules | None = None) -> RequestView:
    """Return the view of a completion request.

    ``prompt`` is a text, or a list of texts that are joined by newlines. It counts as one user message.

    Raises:
        InvalidRequestError: the prompt is missing, or consists of token ids, which cannot be read.
    """
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        entry = Entry("person", (prompt,), 0, 0)
        return RequestView(
            prompt, utf8_size(prompt), ("user",), history=(prompt,), transcript=(entry,), ask_rules=rules
        )
    if isinstance(prompt, list) and prompt and all(isinstance(text, str) for text in prompt):
        texts = tuple(prompt)
        entry = Entry("person", texts, 0, 0)
        size = sum(map(utf8_size, texts))
        return RequestView("\n".join(texts), size, ("user",), history=texts, transcript=(entry,), ask_rules=rules)
    raise InvalidRequestError("'prompt' must be text; token ids need a model name instead of an auto name", "prompt")


def view_of_response(body: Mapping[str, object], rules: AskRules | None = None) -> RequestView:
    """Return the view of a responses request. ``input`` is a text, or items; messages and tool results are read.

    ``instructions`` count as a system message. Earlier turns that the server stores are not visible.

    Raises:
        InvalidRequestError: input, items or tools do not have the documented form.
    """
    instructions = body.get("instructions")
    if instructions is not None and not isinstance(instructions, str):
        raise InvalidRequestError("'instructions' must be text", "instructions")
    roles = ["system"] if instructions else []
    contents = [Content((instructions,))] if instructions else []
    transcript = [Entry("system", (instructions,))] if instructions else []
    turn, calls = "", 0
    for index, item in enumerate(_read_input(body)):
        kind = str(item.get("type", "message"))
        if kind == "message":
            role, content = _read_item_message(item)
            turn = content.text if role == "user" else turn
        elif kind == "function_call_output":
            role, content = "tool", read_content(item.get("output"), "input")
        else:
            calls += kind == "function_call"
            transcript += _other_item(kind, index)
            continue
        roles.append(role)
        contents.append(content)
        transcript.append(Entry(role_of(role), content.texts, 0, index, content.kinds))
    history, length, images = total_content(contents)
    tools = len(read_items(body, "tools"))
    return RequestView(turn, length, tuple(roles), tools, calls, images, history, tuple(transcript), rules)


def _other_item(kind: str, index: int) -> list[Entry]:
    """Return the entry of a tool call or its result, such as ``custom_tool_call``; none for other items."""
    if kind.endswith("_output"):
        return [Entry("tool", (), 0, index)]
    return [Entry("assistant", (), 1, index)] if kind.endswith("_call") else []


def _read_input(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the items of the input. A stored prompt can take its place; its variables count as one user message."""
    value, stored = body.get("input"), body.get("prompt")
    if value is None and isinstance(stored, Mapping):
        return [{"role": "user", "content": _variables(stored)}]
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not value:
        raise InvalidRequestError("'input' must be text or a non-empty list of items", "input")
    for i, item in enumerate(value):
        if not isinstance(item, dict) or not isinstance(item.get("type", "message"), str):
            raise InvalidRequestError(f"'input[{i}]' must be an object with a 'type' or a 'role'", "input")
    return value


def _variables(prompt: Mapping[str, object]) -> list[object]:
    """Return the variables of a stored prompt, which are texts or content parts."""
    variables = prompt.get("variables")
    return list(variables.values()) if isinstance(variables, Mapping) else []


def _read_item_message(item: Mapping[str, object]) -> tuple[str, Content]:
    role = item.get("role")
    if not isinstance(role, str):
        raise InvalidRequestError("a message of 'input' must have a 'role'", "input")
    return role, read_content(item.get("content"), "input")
