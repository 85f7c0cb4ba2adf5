"""Tells the model something first, in the place that each API has for it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from vsr_runtime.decision.program.effects import SystemPrompt
from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.body import scan_list, scan_object
from vsr_runtime.decision.request.draft import Draft
from vsr_runtime.decision.request.splice import Splice, inserted

GAP = "\n\n"
"""Between the policy's text and the client's own."""
ROLES = ("system", "developer")


def add_system_prompt(draft: Draft, api: Api, prompt: SystemPrompt) -> None:
    """Put the text first: in place of the client's own, or before it.

    Chats have it in ``messages[0]``, responses in ``instructions``, messages in ``system``. Completions have no such
    place and stay as they are.
    """
    match api:
        case Api.CHAT:
            _chat(draft, prompt)
        case Api.RESPONSES:
            _top(draft, "instructions", prompt)
        case Api.MESSAGES:
            _top(draft, "system", prompt)


def _chat(draft: Draft, prompt: SystemPrompt) -> None:
    text, at = draft.body.text, draft.body.members.spans["messages"].value
    messages, spans = scan_list(text, at)
    first = messages[0] if messages else None
    if not isinstance(first, Mapping) or first.get("role") not in ROLES:
        message = json.dumps({"role": "system", "content": prompt.text})
        draft.within("messages", inserted(at + 1, [message], alone=not messages))
        return
    _, members = scan_object(text, spans[0].value)
    content = members.spans.get("content")
    if content is None:
        field = f'"content":{json.dumps(prompt.text)}'
        draft.within("messages", inserted(members.opened, [field], alone=False))
    else:
        draft.within("messages", [_put(text, content.value, content.end, first.get("content"), prompt)])


def _top(draft: Draft, key: str, prompt: SystemPrompt) -> None:
    given = draft.get(key)
    if given is None:
        draft.set(key, prompt.text)
    else:
        span = draft.body.members.spans[key]
        draft.within(key, [_put(draft.body.text, span.value, span.end, given, prompt)])


def _put(text: str, start: int, end: int, given: object, prompt: SystemPrompt) -> Splice:
    """The text instead of the given content, or before it as far as that is text or a list of parts."""
    if prompt.mode == "insert" and isinstance(given, str) and given:
        return Splice(start + 1, start + 1, json.dumps(prompt.text + GAP)[1:-1])
    if prompt.mode == "insert" and isinstance(given, list) and given:
        part = json.dumps({"type": "text", "text": prompt.text})
        return inserted(text.index("[", start) + 1, [part], alone=False)[0]
    return Splice(start, end, json.dumps(prompt.text))
