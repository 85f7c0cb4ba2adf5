"""The fields that switch reasoning for a family of models.

Source: the families of release 0.4.0 and what the stock router's ext_proc writes (``req_filter_reason.go``).
"""

from __future__ import annotations

from vsr_runtime.decision.program.effects import CLIENTS_EFFORT, REMOVED, ClientsEffort, Json, Reasoning, Removed
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES, Family

VLLM_PROVIDER = "vllm"
"""The provider whose chat templates take the effort. Others read it at the top level of the body."""
DEEPSEEK_PROVIDER = "deepseek"
"""The provider that has its own switch."""
_DEFAULT_EFFORT = "medium"
"""The effort if neither the decision nor the family states one."""
_TOP_LEVEL = "top_level_reasoning_effort"
_EFFORT_TYPES = frozenset({"reasoning_effort", _TOP_LEVEL})
_SWITCH_ONLY = frozenset({"chat_template_kwargs", "reasoning_mode"})
_Fields = dict[str, Json | Removed | ClientsEffort]


def read_reasoning(
    place: str, ref: contract.ModelRef, model: contract.ProviderModel, defaults: contract.ProviderDefaults
) -> Reasoning | None:
    """Return the fields for a model of a decision; None without a family: nothing changes, as in the stock router.

    Raises:
        UserError: there is no such family, or the family does not support what the decision asks for.
    """
    named = f"providers.models: {model.name}"
    providers = {backend.provider or VLLM_PROVIDER for backend in model.backend_refs}
    if model.reasoning is None and model.reasoning_family is None:
        return None
    if model.reasoning is not None and model.reasoning_family is not None:
        raise config_error(f"{named}: reasoning_family", "is the older form of reasoning; keep one of them")
    if len(providers) > 1:
        raise config_error(f"{named}: backend_refs", "reasoning needs backends of one provider")
    provider = next(iter(providers), VLLM_PROVIDER)
    if model.reasoning is None:
        own = (defaults.reasoning_families or {}).get(model.reasoning_family or "")
        if own is None:
            raise config_error(
                f"{named}: reasoning_family",
                f"{model.reasoning_family!r} is not defined under providers.defaults.reasoning_families",
            )
        return _older_reasoning(place, ref, own, defaults.reasoning_effort, provider)
    family = read_family(f"{named}: reasoning", model.reasoning)
    mode, on = ref.reasoning_mode, ref.use_reasoning
    if mode is not None and on != (mode != "disabled"):
        raise config_error(f"{place}.reasoning_mode", f"{mode!r} contradicts use_reasoning: {str(on).lower()}")
    effort = ref.reasoning_effort
    if effort is None and on and defaults.reasoning_effort in family.levels:
        effort = defaults.reasoning_effort
    try:
        return build_reasoning(family, on=on, effort=effort, provider=provider, mode=mode)
    except ValueError as error:
        raise config_error(f"{place}.reasoning_effort", str(error)) from None


def read_family(place: str, reasoning: contract.Reasoning) -> Family:
    """Return the family of a model: one of the release, or the one that its own fields describe.

    Raises:
        UserError: it is neither, or its fields contradict each other.
    """
    stated = reasoning.model_dump(exclude_none=True)
    if reasoning.family is not None:
        if len(stated) > 1:
            raise config_error(place, "has a family and fields of its own; keep one of them")
        family = FAMILIES.get(reasoning.family)
        if family is None:
            raise config_error(f"{place}.family", f"{reasoning.family!r} is not known")
        return family
    if reasoning.type is None or not (reasoning.parameter or "").strip():
        raise config_error(place, "needs a family, or a type and a parameter")
    levels, modes = tuple(reasoning.levels or ()), tuple(reasoning.modes or ())
    family = Family(
        reasoning.type,
        reasoning.parameter or "",
        levels,
        modes,
        reasoning.default,
        reasoning.default_mode,
        reasoning.disabled,
        reasoning.activation_parameter,
        tuple((reasoning.effort_flags or {}).items()),
    )
    problem = _contradiction(family)
    if problem is not None:
        raise config_error(place, problem)
    return family


def _contradiction(family: Family) -> str | None:
    """Return what is wrong with a family, as release 0.4.0 checks it."""
    names = [family.parameter, family.activation_parameter, *(flag for _, flag in family.effort_flags)]
    given = [name for name in names if name is not None]
    switched = family.activation_parameter or family.effort_flags
    checks = (
        (family.type in _EFFORT_TYPES and not family.levels, f"the type {family.type} needs levels"),
        (
            family.type == _TOP_LEVEL and family.parameter != "reasoning_effort",
            f"the parameter of the type {_TOP_LEVEL} is reasoning_effort",
        ),
        (
            family.type != "reasoning_effort" and switched,
            "activation_parameter and effort_flags belong to the type reasoning_effort",
        ),
        (family.effort_flags and not family.activation_parameter, "effort_flags needs activation_parameter"),
        (
            not {level for level, _ in family.effort_flags} <= set(family.levels),
            "effort_flags names an effort that levels does not list",
        ),
        (
            family.levels and family.default is not None and family.default not in family.levels,
            f"the default {family.default!r} is not among the levels",
        ),
        (bool(family.modes) != (family.default_mode is not None), "modes and default_mode need each other"),
        (
            family.default_mode is not None and family.default_mode not in family.modes,
            f"the default_mode {family.default_mode!r} is not among the modes",
        ),
        (
            family.disabled and family.modes and "disabled" not in family.modes,
            "the effort disabled needs the mode disabled",
        ),
        (len(set(given)) != len(given) or not all(given), "its parameters must differ, and have names"),
    )
    return next((problem for wrong, problem in checks if wrong), None)


def _older_reasoning(
    place: str, ref: contract.ModelRef, family: contract.ReasoningFamily, default: str | None, provider: str
) -> Reasoning:
    """Return the fields for a family in the form of release 0.3.0, which has no levels and no modes.

    Without reasoning an effort stays that of the client, and is ``low`` in templates if the client states none.

    Raises:
        UserError: the decision asks for what such a family has not.
    """
    on, effort = ref.use_reasoning, ref.reasoning_effort or default or _DEFAULT_EFFORT
    if ref.reasoning_mode is not None:
        raise config_error(f"{place}.reasoning_mode", "families of the config's own have no modes")
    top: _Fields = {"reasoning_effort": REMOVED}
    if provider == DEEPSEEK_PROVIDER:
        top |= {"chat_template_kwargs": REMOVED, "thinking": {"type": "enabled" if on else "disabled"}}
        return Reasoning(top | ({"reasoning_effort": effort} if on else {}), {}, effort if on else None)
    if family.type == "chat_template_kwargs":
        return Reasoning(top, {family.parameter: on})
    in_template = family.type == "reasoning_effort" and provider == VLLM_PROVIDER
    if on:
        value: Json | ClientsEffort = effort
    else:
        value = ClientsEffort("low") if in_template else CLIENTS_EFFORT
    if in_template:
        return Reasoning(top, {family.parameter: value}, effort if on else None)
    return Reasoning(top | {family.parameter: value}, {}, effort if on else None)


def build_reasoning(
    family: Family, *, on: bool, effort: str | None, provider: str = VLLM_PROVIDER, mode: str | None = None
) -> Reasoning:
    """Return the fields for one model of a decision.

    A client's own ``reasoning_effort`` is always replaced or removed. A family that cannot be switched off keeps its
    default if reasoning is not requested.

    Raises:
        ValueError: the family does not support this effort or mode.
    """
    if mode is not None and mode not in family.modes:
        raise ValueError(f"the mode {mode!r} is not supported by the family; use one of: {', '.join(family.modes)}")
    if effort is not None and not on:
        raise ValueError("an effort needs use_reasoning: true")
    top: _Fields = {"reasoning_effort": REMOVED}
    if family.type in _SWITCH_ONLY:
        if effort is not None:
            raise ValueError("the model's family only switches reasoning on and off; remove the effort")
        return Reasoning(top, {family.parameter: _switch(family, mode, on=on)})
    value = _effort(family, effort) if on else family.disabled
    template: _Fields = {}
    if family.activation_parameter:
        template[family.activation_parameter] = on if on or _can_disable(family) else REMOVED
    template |= {flag: value == level if on else REMOVED for level, flag in family.effort_flags}
    if not family.effort_flags:
        place = template if provider == VLLM_PROVIDER and family.type != _TOP_LEVEL else top
        place[family.parameter] = REMOVED if value is None else value
    if provider == DEEPSEEK_PROVIDER:
        top["thinking"] = {"type": "enabled" if on else "disabled"}
    return Reasoning(top, template, value)


def _switch(family: Family, mode: str | None, *, on: bool) -> Json | Removed:
    if not on and not _can_disable(family):
        return REMOVED
    if family.type == "chat_template_kwargs":
        return on
    if not on:
        return "disabled"
    if mode is not None:
        return mode
    return "enabled" if "enabled" in family.modes else family.modes[0]


def _effort(family: Family, effort: str | None) -> str:
    if effort is not None and effort not in family.levels:
        raise ValueError(
            f"the effort {effort!r} is not supported by the family; use one of: {', '.join(family.levels)}"
        )
    fallback = family.default or (_DEFAULT_EFFORT if _DEFAULT_EFFORT in family.levels else family.levels[0])
    return effort or fallback


def _can_disable(family: Family) -> bool:
    return "disabled" in family.modes
