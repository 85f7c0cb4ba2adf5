"""The edits of a decision on a request body: parameters, tools, system prompt, reasoning and model name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.effects import (
    REMOVED,
    ClientsEffort,
    Effects,
    Json,
    ModelTarget,
    ParameterLimits,
    Reasoning,
    Removed,
    SystemPrompt,
    ToolFilter,
)
from vsr_runtime.decision.request.json_body import JsonBody, scan_list, scan_object
from vsr_runtime.decision.request.json_edits import BodyDraft, Splice, insertion_splices, removal_splices

MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""The APIs' names for the maximum length of a response."""
_SAMPLING = frozenset({"model", "stream", "temperature", "top_p", "tools", "tool_choice", "user"})
_OPENAI = _SAMPLING | {
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "top_logprobs",
}
KNOWN_FIELDS = {
    Api.CHAT: _OPENAI | {"messages"},
    Api.COMPLETIONS: _OPENAI | {"prompt"},
    Api.RESPONSES: _SAMPLING | {"input", "instructions", "max_output_tokens", "previous_response_id", "reasoning"},
    Api.MESSAGES: _SAMPLING | {"messages", "system", "max_tokens", "stop_sequences"},
}
"""The fields that ``strip_unknown`` keeps. Those of chats are the stock router's; it reads other APIs as chats."""
DEFAULT_TOKENS_FIELD = {
    Api.CHAT: "max_tokens",
    Api.COMPLETIONS: "max_tokens",
    Api.RESPONSES: "max_output_tokens",
}
"""Where the length of a response is stated if the client states none. The messages API demands it of clients."""
COUNT_FIELDS = ("n", "best_of")
TEMPLATE_FIELD = "chat_template_kwargs"
REASONING_FIELD = "reasoning"
"""The field of the responses API that holds the effort."""
SEPARATOR = "\n\n"
"""Separates the policy's text from the client's."""
SYSTEM_ROLES = ("system", "developer")
TOOL_LISTS = {"tools": ("tool_choice", "parallel_tool_calls"), "functions": ("function_call",), "mcp_servers": ()}
"""The fields that list tools, older tools, and tool servers, each with the fields that refer to it."""
TOOL_FIELDS = {"web_search_options": "web_search"}
"""Fields that are a tool by themselves, and its name."""
_GENERIC_TYPES = frozenset({"custom", "function", "tool", "url"})
"""Types that only say that something is a tool."""
_VERSIONED_TYPE = re.compile(r"_\d{8}$")
"""The ending of Anthropic's tool types. These tools also have a name, which the API enforces."""


def edit_body(body: JsonBody, api: Api, target: ModelTarget, effects: Effects) -> bytes | None:
    """Return the body for the model, or None if it is unchanged.

    The client's own fields are limited first, so that no field of the policy is taken for the client's.
    """
    draft = BodyDraft(body)
    if effects.params:
        limit_params(draft, effects.params, api)
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


def limit_params(draft: BodyDraft, params: ParameterLimits, api: Api = Api.CHAT) -> None:
    """Limit a client's parameters.

    A missing or null parameter stays so, and the server's default applies. Anything other than a number from 0 to the
    limit is replaced by the limit, since a server might read a text or a negative number as more.
    """
    draft.remove(*params.blocked)
    if params.known_only and api in KNOWN_FIELDS:
        draft.remove(*(draft.body.values.keys() - KNOWN_FIELDS[api]))
    for names, bound in ((MAX_TOKENS_FIELDS, params.max_tokens), (COUNT_FIELDS, params.max_n)):
        for name in names:
            value = draft.get(name)
            if bound is not None and value is not None and not _within_limit(value, bound):
                draft.set(name, bound)
    stated = (draft.body.values.get(name) for name in MAX_TOKENS_FIELDS if name not in params.blocked)
    if params.default_tokens is not None and all(value is None for value in stated):
        bound = params.default_tokens if params.max_tokens is None else min(params.default_tokens, params.max_tokens)
        if api in DEFAULT_TOKENS_FIELD:
            draft.set(DEFAULT_TOKENS_FIELD[api], bound)


def _within_limit(value: object, bound: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= bound


def set_reasoning(draft: BodyDraft, api: Api, thinking: Reasoning) -> None:
    """Set the reasoning fields, and remove a client's own.

    The responses API takes the effort at ``reasoning.effort``, and the rest like chats. Completions use no template, so
    nothing is set there.
    """
    if api not in (Api.CHAT, Api.RESPONSES, Api.MESSAGES):
        return
    own_effort = draft.get("reasoning_effort")
    top, template = (_resolved(fields, own_effort) for fields in (thinking.top, thinking.template))
    if api is Api.RESPONSES:
        own = thinking.effort if thinking.effort is not None else REMOVED
        draft.update(REASONING_FIELD, {"effort": own})
    for key, value in top.items():
        if isinstance(value, Removed):
            draft.remove(key)
        else:
            draft.set(key, value)
    draft.update(TEMPLATE_FIELD, template)


def _resolved(fields: Mapping[str, Json | Removed | ClientsEffort], own_effort: object) -> dict[str, Json | Removed]:
    """Return the fields with the client's own effort where it stays, if it is a text."""

    def value(stated: Json | Removed | ClientsEffort) -> Json | Removed:
        if not isinstance(stated, ClientsEffort):
            return stated
        kept = own_effort if isinstance(own_effort, str) else stated.default
        return REMOVED if kept is None else kept

    return {name: value(stated) for name, stated in fields.items()}


def add_system_prompt(draft: BodyDraft, api: Api, prompt: SystemPrompt) -> None:
    """Set the system prompt, or insert it before the client's own.

    It is ``messages[0]`` for chats, ``instructions`` for responses, and ``system`` for messages. Completions have no
    such field and stay unchanged.
    """
    match api:
        case Api.CHAT:
            _prepend_message(draft, prompt)
        case Api.RESPONSES | Api.INPUT_TOKENS:
            _set_field(draft, "instructions", prompt)
        case Api.MESSAGES | Api.COUNT_TOKENS:
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
    value = draft.get(key)
    if value is None:
        draft.set(key, prompt.text)
    else:
        span = draft.body.members.spans[key]
        draft.within(key, [_prompt_splice(draft.body.text, span.value, span.end, value, prompt)])


def _prompt_splice(text: str, start: int, end: int, value: object, prompt: SystemPrompt) -> Splice:
    """Return the splice that replaces the client's content, or inserts the prompt before it if it is text or parts."""
    if prompt.mode == "insert" and isinstance(value, str) and value:
        return Splice(start + 1, start + 1, json.dumps(prompt.text + SEPARATOR)[1:-1])
    if prompt.mode == "insert" and isinstance(value, list) and value:
        part = json.dumps({"type": "text", "text": prompt.text})
        return insertion_splices(text.index("[", start) + 1, [part], alone=False)[0]
    return Splice(start, end, json.dumps(prompt.text))


def filter_tools(draft: BodyDraft, keep: ToolFilter) -> None:
    """Remove the tools that are not kept. If none is left, remove the list and the fields that refer to it.

    A choice that names a removed tool is removed, so the model chooses. Tools in earlier messages are unchanged.
    """
    for field, referring in TOOL_LISTS.items():
        tools = draft.get(field)
        if tools is None:
            continue
        if not isinstance(tools, list):  # no tool can be recognised in anything else
            draft.remove(field, *referring)
            continue
        names = [tool_names(tool) for tool in tools]
        removed = {i for i, tool in enumerate(names) if not tool or not all(map(keep.keeps, tool))}
        if len(removed) == len(tools):
            draft.remove(field, *referring)
        elif removed:
            _, spans = scan_list(draft.body.text, draft.body.members.spans[field].value)
            draft.within(field, removal_splices(spans, removed))
            kept = frozenset(name for i, tool in enumerate(names) if i not in removed for name in tool)
            for choice in referring[:1]:
                if not _chosen_tools(draft.get(choice)) <= kept:
                    draft.remove(choice)
    for field, name in TOOL_FIELDS.items():
        if draft.get(field) is not None and not keep.keeps(name):
            draft.remove(field)


def tool_names(tool: object) -> frozenset[str | None]:
    """Return all that a server may read as a tool's name: its function's, its own, and the type of a built-in tool.

    Servers read only one of them, and each API a different one, so all of them must be allowed.
    """
    if not isinstance(tool, Mapping):
        return frozenset()
    holders = [tool, *(tool[key] for key in ("function", "custom") if isinstance(tool.get(key), Mapping))]
    names = {holder["name"] for holder in holders if isinstance(holder.get("name"), str)}
    kind = tool.get("type")
    if isinstance(kind, str) and kind not in _GENERIC_TYPES and not (names and _VERSIONED_TYPE.search(kind)):
        names.add(kind)
    return frozenset(names)


def _chosen_tools(choice: object) -> frozenset[str | None]:
    """Return the tools that a choice names; none for a word such as ``auto``."""
    if not isinstance(choice, Mapping):
        return frozenset()
    if choice.get("type") in ("auto", "any", "none"):
        return frozenset()
    allowed = choice.get("allowed_tools")
    listed = (allowed if isinstance(allowed, Mapping) else choice).get("tools")
    if isinstance(listed, list):
        return frozenset(name for tool in listed for name in tool_names(tool) or {None})
    return tool_names(choice) or frozenset({None})
