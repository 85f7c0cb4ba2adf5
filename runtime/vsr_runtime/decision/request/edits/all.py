"""All that a decision changes in a body, in the order in which the changes build on each other."""

from __future__ import annotations

from vsr_runtime.decision.program.effects import Effects, Target
from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.body import Body
from vsr_runtime.decision.request.draft import Draft
from vsr_runtime.decision.request.edits.params import limit_params
from vsr_runtime.decision.request.edits.reasoning import set_reasoning
from vsr_runtime.decision.request.edits.system_prompt import add_system_prompt
from vsr_runtime.decision.request.edits.tools import filter_tools


def edited(body: Body, api: Api, target: Target, effects: Effects) -> bytes | None:
    """The body for the model, or None where it can go as it came.

    The client's own fields are limited first, so that nothing which the policy writes is taken for theirs.
    """
    draft = Draft(body)
    if effects.params:
        limit_params(draft, effects.params)
    if effects.tools:
        filter_tools(draft, effects.tools)
    if effects.system_prompt:
        add_system_prompt(draft, api, effects.system_prompt)
    if target.thinking:
        set_reasoning(draft, api, target.thinking)
    if body.values["model"] != target.served_as:
        draft.set("model", target.served_as)
    text = draft.text()
    return None if text is body.text or text == body.text else text.encode()
