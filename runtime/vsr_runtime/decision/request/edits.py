"""All that a decision changes in a body, in the order in which the changes build on each other."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.effects import (
    REMOVED,
    Effects,
    ModelTarget,
    ParameterLimits,
    Reasoning,
    Removed,
    SystemPrompt,
    ToolFilter,
)
from vsr_runtime.decision.request.json_body import JsonBody, scan_list, scan_object
from vsr_runtime.decision.request.json_edits import BodyDraft, Splice, insertion_splices, removal_splices


def edit_body(body: JsonBody, api: Api, target: ModelTarget, effects: Effects) -> bytes | None:
    """The body for the model, or None where it can go as it came.

    The client's own fields are limited first, so that nothing which the policy writes is taken for theirs.
    """
    draft = BodyDraft(body)
    if effects.params:
        limit_params(draft, effects.params)
    if effects.tools:
        filter_tools(draft, effects.tools)
    if effects.system_prompt:
        add_system_prompt(draft, api, effects.system_prompt)
    if target.reasoning:
        set_reasoning(draft, api, target.reasoning)
    if body.values["model"] != target.served_as:
        draft.set("model", target.served_as)
    text = draft.text()
    return None if text is body.text or text == body.text else text.encode()


MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""How the APIs call the length of an answer."""
COUNT_FIELDS = ("n", "best_of")


def limit_params(draft: BodyDraft, params: ParameterLimits) -> None:
    """Bring a client's parameters within bounds.

    A parameter that is missing or null stays so: the server's own default holds. Whatever is not a number from 0 to the
    bound becomes the bound, since some server might take a text or a negative number for more.
    """
    draft.remove(*params.blocked)
    for names, bound in ((MAX_TOKENS_FIELDS, params.max_tokens), (COUNT_FIELDS, params.max_n)):
        for name in names:
            value = draft.get(name)
            if bound is not None and value is not None and not _within_limit(value, bound):
                draft.set(name, bound)


def _within_limit(value: object, bound: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= bound


TEMPLATE_FIELD = "chat_template_kwargs"
REASONING_FIELD = "reasoning"
"""Where the responses API has the effort."""


def set_reasoning(draft: BodyDraft, api: Api, thinking: Reasoning) -> None:
    """Write the fields, and remove a client's own of the same meaning.

    Responses take the effort at ``reasoning.effort``, and the rest as chats do. Completions are not templated, so
    nothing is written there.
    """
    if api not in (Api.CHAT, Api.RESPONSES, Api.MESSAGES):
        return
    top, template = dict(thinking.top), dict(thinking.template)
    if api is Api.RESPONSES:
        own = thinking.effort if thinking.effort is not None else REMOVED
        draft.update(REASONING_FIELD, {"effort": own})
    for key, value in top.items():
        if isinstance(value, Removed):
            draft.remove(key)
        else:
            draft.set(key, value)
    draft.update(TEMPLATE_FIELD, template)


SEPARATOR = "\n\n"
"""Between the policy's text and the client's own."""
SYSTEM_ROLES = ("system", "developer")


def add_system_prompt(draft: BodyDraft, api: Api, prompt: SystemPrompt) -> None:
    """Put the text first: in place of the client's own, or before it.

    Chats have it in ``messages[0]``, responses in ``instructions``, messages in ``system``. Completions have no such
    place and stay as they are.
    """
    match api:
        case Api.CHAT:
            _prepend_message(draft, prompt)
        case Api.RESPONSES:
            _set_field(draft, "instructions", prompt)
        case Api.MESSAGES:
            _set_field(draft, "system", prompt)


def _prepend_message(draft: BodyDraft, prompt: SystemPrompt) -> None:
    text, at = draft.body.text, draft.body.members.spans["messages"].value
    messages, spans = scan_list(text, at)
    first = messages[0] if messages else None
    if not isinstance(first, Mapping) or first.get("role") not in SYSTEM_ROLES:
        message = json.dumps({"role": "system", "content": prompt.text})
        draft.within("messages", insertion_splices(at + 1, [message], alone=not messages))
        return
    _, members = scan_object(text, spans[0].value)
    content = members.spans.get("content")
    if content is None:
        field = f'"content":{json.dumps(prompt.text)}'
        draft.within("messages", insertion_splices(members.opened, [field], alone=False))
    else:
        draft.within("messages", [_prompt_splice(text, content.value, content.end, first.get("content"), prompt)])


def _set_field(draft: BodyDraft, key: str, prompt: SystemPrompt) -> None:
    given = draft.get(key)
    if given is None:
        draft.set(key, prompt.text)
    else:
        span = draft.body.members.spans[key]
        draft.within(key, [_prompt_splice(draft.body.text, span.value, span.end, given, prompt)])


def _prompt_splice(text: str, start: int, end: int, given: object, prompt: SystemPrompt) -> Splice:
    """The text instead of the given content, or before it as far as that is text or a list of parts."""
    if prompt.mode == "insert" and isinstance(given, str) and given:
        return Splice(start + 1, start + 1, json.dumps(prompt.text + SEPARATOR)[1:-1])
    if prompt.mode == "insert" and isinstance(given, list) and given:
        part = json.dumps({"type": "text", "text": prompt.text})
        return insertion_splices(text.index("[", start) + 1, [part], alone=False)[0]
    return Splice(start, end, json.dumps(prompt.text))


TOOL_LISTS = {"tools": ("tool_choice", "parallel_tool_calls"), "functions": ("function_call",), "mcp_servers": ()}
"""The fields that list tools, today's, the older one, and servers of tools, each with what means nothing without it."""
TOOL_FIELDS = {"web_search_options": "web_search"}
"""Fields that are a tool by themselves, and what it is called."""
_GENERIC_TYPES = frozenset({"custom", "function", "tool", "url"})
"""Types that say no more than that it is a tool."""
_VERSIONED_TYPE = re.compile(r"_\d{8}$")
"""How Anthropic's types end; those tools have names as well, which it sees to."""


def filter_tools(draft: BodyDraft, keep: ToolFilter) -> None:
    """Remove the tools that are not kept; with the last of them its list and what refers to it.

    A choice that names a removed tool is removed, which leaves the choice to the model. What earlier messages say of
    tools stays.
    """
    for field, referring in TOOL_LISTS.items():
        given = draft.get(field)
        if given is None:
            continue
        if not isinstance(given, list):  # whatever it is, no tool can be told from it
            draft.remove(field, *referring)
            continue
        names = [tool_names(tool) for tool in given]
        which = {i for i, each in enumerate(names) if not each or not all(map(keep.keeps, each))}
        if len(which) == len(given):
            draft.remove(field, *referring)
        elif which:
            _, spans = scan_list(draft.body.text, draft.body.members.spans[field].value)
            draft.within(field, removal_splices(spans, which))
            kept = frozenset(name for i, each in enumerate(names) if i not in which for name in each)
            for choice in referring[:1]:
                if not _chosen_tools(draft.get(choice)) <= kept:
                    draft.remove(choice)
    for field, name in TOOL_FIELDS.items():
        if draft.get(field) is not None and not keep.keeps(name):
            draft.remove(field)


def tool_names(tool: object) -> frozenset[str | None]:
    """All that some server may take for a tool's name: its function's, its own, and the type of what a server brings.

    Servers read but one of them, and each API another one; so none may say what the others do not.
    """
    if not isinstance(tool, Mapping):
        return frozenset()
    holders = [tool, *(tool[key] for key in ("function", "custom") if isinstance(tool.get(key), Mapping))]
    found = {holder["name"] for holder in holders if isinstance(holder.get("name"), str)}
    kind = tool.get("type")
    if isinstance(kind, str) and kind not in _GENERIC_TYPES and not (found and _VERSIONED_TYPE.search(kind)):
        found.add(kind)
    return frozenset(found)


def _chosen_tools(choice: object) -> frozenset[str | None]:
    """The tools that a choice names; none where it is a word such as ``auto``."""
    if not isinstance(choice, Mapping):
        return frozenset()
    if choice.get("type") in ("auto", "any", "none"):
        return frozenset()
    allowed = choice.get("allowed_tools")
    listed = (allowed if isinstance(allowed, Mapping) else choice).get("tools")
    if isinstance(listed, list):
        return frozenset(name for tool in listed for name in tool_names(tool) or {None})
    return tool_names(choice) or frozenset({None})
