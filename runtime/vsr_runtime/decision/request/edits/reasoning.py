"""Switches reasoning on or off in the fields that the model's family reads."""

from __future__ import annotations

from vsr_runtime.decision.program.effects import REMOVED, Removed, Thinking
from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.draft import Draft

TEMPLATE = "chat_template_kwargs"
OWN = "reasoning"
"""Where the responses API has the effort."""


def set_reasoning(draft: Draft, api: Api, thinking: Thinking) -> None:
    """Write the fields, and remove a client's own of the same meaning.

    Responses take the effort at ``reasoning.effort``, and the rest as chats do. Completions are not templated, so
    nothing is written there.
    """
    if api not in (Api.CHAT, Api.RESPONSES, Api.MESSAGES):
        return
    top, template = dict(thinking.top), dict(thinking.template)
    if api is Api.RESPONSES:
        own = thinking.effort if thinking.effort is not None else REMOVED
        draft.update(OWN, {"effort": own})
    for key, value in top.items():
        if isinstance(value, Removed):
            draft.remove(key)
        else:
            draft.set(key, value)
    draft.update(TEMPLATE, template)
