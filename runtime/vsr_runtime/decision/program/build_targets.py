"""The models that a decision chooses between, and their shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vsr_runtime.decision.program.effects import Target, Thinking
from vsr_runtime.decision.program.program import WHOLE
from vsr_runtime.decision.program.refuse import refuse, unique
from vsr_runtime.decision.program.thinking import thinking
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES


def targets(
    place: str,
    decision: contract.Decision,
    config: contract.RouterConfig,
    served: Mapping[str, Target],
    split: Mapping[str, int] | None,
) -> tuple[tuple[Target, int], ...]:
    """The decision's models with their shares in per cent.

    Raises:
        UserError: a model, an adapter or an effort is not known, or the shares do not fit the models.
    """
    refs = decision.modelRefs
    if not refs and not any(plugin.type == "fast_response" for plugin in decision.plugins or ()):
        raise refuse(f"{place}.modelRefs", "names no model; give one, or the plugin fast_response")
    found = [_target(f"{place}.modelRefs[{i}]", ref, config, served) for i, ref in enumerate(refs)]
    names = [target.name for target in found]
    unique(f"{place}.modelRefs", names)
    if split is None:
        if len(found) > 1:
            raise refuse(
                f"{place}.modelRefs",
                f"of several models, runtime.yaml must say the shares: splits.{decision.name}; or give one model",
            )
        return tuple((target, int(WHOLE)) for target in found)
    _check_shares(f"splits.{decision.name}", split, names)
    return tuple((target, split[target.name]) for target in found)


def _check_shares(place: str, split: Mapping[str, int], names: list[str]) -> None:
    if set(split) != set(names):
        raise refuse(place, f"must name the decision's models: {', '.join(names) or 'none'}", "runtime.yaml")
    if any(share < 0 for share in split.values()) or sum(split.values()) != WHOLE:
        raise refuse(place, f"the shares must add up to 100, not {sum(split.values())}", "runtime.yaml")


def _target(place: str, ref: contract.ModelRef, config: contract.RouterConfig, served: Mapping[str, Target]) -> Target:
    model = next((model for model in config.providers.models if model.name == ref.model), None)
    if model is None:
        raise refuse(f"{place}.model", f"model {ref.model!r} is not defined under providers.models")
    card = next((card for card in config.routing.modelCards if card.name == ref.model), None)
    adapters = [lora.name for lora in (card.loras if card else None) or ()]
    if ref.lora_name is not None and ref.lora_name not in adapters:
        raise refuse(f"{place}.lora_name", f"{ref.lora_name!r} is no adapter of {ref.model!r} under routing.modelCards")
    return replace(served[ref.lora_name or ref.model], thinking=_thinking(place, ref, model))


def _thinking(place: str, ref: contract.ModelRef, model: contract.ProviderModel) -> Thinking | None:
    if model.reasoning is None:
        if ref.use_reasoning or ref.reasoning_effort is not None:
            raise refuse(
                f"{place}.use_reasoning", f"model {model.name!r} has no reasoning family; give reasoning.family"
            )
        return None
    family = FAMILIES.get(model.reasoning.family)
    if family is None:
        raise refuse(f"providers.models: {model.name}: reasoning.family", f"{model.reasoning.family!r} is not known")
    providers = {backend.provider or "vllm" for backend in model.backend_refs}
    if len(providers) > 1:
        raise refuse(f"providers.models: {model.name}: backend_refs", "reasoning needs backends of one provider")
    try:
        return thinking(
            family, on=ref.use_reasoning, effort=ref.reasoning_effort, provider=providers.pop() if providers else "vllm"
        )
    except ValueError as error:
        raise refuse(f"{place}.reasoning_effort", str(error)) from None
