"""How reasoning is switched for a family of models: from the stock catalog's words to fields of a request.

Source: the families of release 0.4.0 and what its ext_proc writes (``req_filter_reason.go``).
"""

from __future__ import annotations

from vsr_runtime.decision.program.effects import REMOVED, Json, Removed, Thinking
from vsr_schemas.routerconfig.reasoning_0_4_0 import Family

LOCAL = "vllm"
"""The provider whose chat templates take the effort. Others read it at the top of the body."""
DEEPSEEK = "deepseek"
"""The provider that has a switch of its own."""
_EFFORT = "medium"
"""Where neither the decision nor the family states one."""

Fields = dict[str, Json | Removed]


def thinking(family: Family, *, on: bool, effort: str | None, provider: str = LOCAL) -> Thinking:
    """The fields for one model of a decision.

    A client's own ``reasoning_effort`` never stays beside them. A family that cannot be switched off is left to its own
    default where reasoning is not asked for.

    Raises:
        ValueError: the family does not take this effort.
    """
    if effort is not None and not on:
        raise ValueError("an effort needs use_reasoning: true")
    top: Fields = {"reasoning_effort": REMOVED}
    if family.type != "reasoning_effort":
        if effort is not None:
            raise ValueError("the model's family knows reasoning on and off only; remove the effort")
        return Thinking(top, {family.parameter: _switch(family, on=on)})
    value = _effort(family, effort) if on else family.disabled
    template: Fields = {}
    if family.activation_parameter:
        template[family.activation_parameter] = on if on or _can_stop(family) else REMOVED
    template |= {flag: value == level if on else REMOVED for level, flag in family.effort_flags}
    if not family.effort_flags:
        place = template if provider == LOCAL else top
        place[family.parameter] = REMOVED if value is None else value
    if provider == DEEPSEEK:
        top["thinking"] = {"type": "enabled" if on else "disabled"}
    return Thinking(top, template, value)


def _switch(family: Family, *, on: bool) -> Json | Removed:
    if not on and not _can_stop(family):
        return REMOVED
    if family.type == "chat_template_kwargs":
        return on
    if not on:
        return "disabled"
    return "enabled" if "enabled" in family.modes else family.modes[0]


def _effort(family: Family, effort: str | None) -> str:
    if effort is not None and effort not in family.levels:
        raise ValueError(f"the effort {effort!r} is none of the family's: {', '.join(family.levels)}")
    fallback = family.default or (_EFFORT if _EFFORT in family.levels else family.levels[0])
    return effort or fallback


def _can_stop(family: Family) -> bool:
    return "disabled" in family.modes
