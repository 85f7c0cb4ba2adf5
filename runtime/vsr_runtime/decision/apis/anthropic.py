"""Reader of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.content import Content, read_content, read_items, read_messages, total_content
from vsr_runtime.decision.ask.rules import AskRules
from vsr_runtime.decision.ask.transcript import Entry, role_of
from vsr_runtime.decision.view import InvalidRequestError, RequestView


def view_of_message(body: Mapping[str, object], rules: AskRules | None = None) -> RequestView:
    """Return the view of a messages request. ``system`` counts as a system message, each tool result as a tool message.

    A user message that holds only tool results is not a user turn; the turn is the last user message before it.

    Raises:
        InvalidRequestError: system, messages, blocks or tools do not have the documented form.
    """
    system = read_content(body.get("system"), "system")
    roles = ["system"] if system.kinds else []
    contents = [system]
    transcript = [Entry("system", system.texts, 0, -1, system.kinds)] if system.kinds else []
    turn, total = "", 0
    for index, message in enumerate(read_messages(body)):
        content, role = read_content(message.get("content"), "messages"), str(message["role"])
        results = _tool_results(message)
        contents += [content, *results]
        roles += ["tool"] * len(results)
        transcript += [Entry("tool", result.texts, 0, index, result.kinds) for result in results]
        if role == "user" and results and len(results) == len(content.kinds):
            continue
        roles.append(role)
        turn = content.text if role == "user" else turn
        calls = content.kinds.count("tool_use")
        total += calls
        transcript.append(Entry(role_of(role), content.texts, calls, index, content.kinds))
    history, size, images = total_content(contents)
    tools = len(read_items(body, "tools"))
    return RequestView(turn, size, tuple(roles), tools, total, images, history, tuple(transcript), rules)


def _tool_results(message: Mapping[str, object]) -> list[Content]:
    """Return the contents of tool results, which are nested one level deeper than other content."""
    blocks = message.get("content")
    if not isinstance(blocks, list):
        return []
    results = [
        block.get("content") for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result"
    ]
    try:
        return [read_content(content, "messages") for content in results]
    except InvalidRequestError as error:
        raise InvalidRequestError(f"in a tool_result: {error}", error.param) from None
