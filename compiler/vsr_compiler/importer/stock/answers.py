"""The models that answer, and how they are called."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.stock import models
from vsr_compiler.importer.stock.context import Context, Decision
from vsr_compiler.importer.values import Fields, boolean
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES

SELECTORS = frozenset(
    ["latency_aware", "multi_factor", "router_dc", "automix", "hybrid", "knn", "kmeans", "svm", "mlp", "prompt"]
)
LOOPERS = frozenset({"confidence", "ratings", "remom", "fusion", "workflows"})


def references(context: Context, item: Decision) -> list[Fields]:
    """Return the model references of a decision."""
    refs = [Fields.of(node, f"decisions.{item.name}.modelRefs", item.span) for node in item.fields.items("modelRefs")]
    for ref in refs:
        ref.taken.update(
            [
                "model",
                "lora_name",
                "weight",
                "use_reasoning",
                "reasoning_effort",
                "reasoning_description",
                "reasoning_mode",
            ]
        )
        context.leftovers(ref)
    return [ref for ref in refs if ref.text("model")]


def answer(context: Context, item: Decision) -> dict[str, Any]:
    """Return the model of a decision, or the models among which it selects."""
    refs = references(context, item)
    algorithm = item.fields.fields("algorithm")
    kind = algorithm.text("type").lower() or "static"
    algorithm.taken.update(algorithm.node.entries)
    if not refs:
        return {"model": context.default}
    names = list(dict.fromkeys(_name(context, ref) for ref in refs))
    body: dict[str, Any] = {"model": names[0]}
    if len(refs) == 1 and kind in SELECTORS | LOOPERS:
        context.group("VSR527", "algorithms of decisions with one model", item.name, algorithm.span)
        covered(algorithm.node)
    if len(names) > 1:
        body = _several(context, item, kind, names, algorithm, refs)
    reasoning = _reasoning(context, refs[0], [names[0]] if "model" in body else names)
    if boolean(refs[0].take("use_reasoning")) is True and not reasoning:
        context.unreasoned[item.name] = "reasoning"
    elif "reasoning" in reasoning and (refs[0].text("reasoning_effort") or context.default_effort):
        context.unreasoned[item.name] = "effort"
    return body | reasoning


def _several(
    context: Context, item: Decision, kind: str, names: list[str], algorithm: Fields, refs: list[Fields]
) -> dict[str, Any]:
    others = ", ".join(f"`{name}`" for name in names[1:4])
    for ref in refs if kind in SELECTORS else refs[1:]:
        covered(ref.node.entries["weight"][1] if "weight" in ref.node.entries else None)
    if kind not in SELECTORS:
        for ref in refs[1:]:
            covered(ref.node)
    if kind in SELECTORS | LOOPERS:
        covered(algorithm.node)
    if kind in SELECTORS:
        message = f"decision `{item.name}` selects its model by `{kind}`; the policy shares requests equally"
        context.lose("VSR538", message, algorithm.span, "Change the shares of the `split`, or name one model.")
        context.choices[item.name] = "equal"
        share, more = divmod(100, len(names))
        return {"split": {name: share + (index < more) for index, name in enumerate(names)}}
    context.choices[item.name] = "first"
    if kind in LOOPERS:
        message = f"decision `{item.name}` asks several models by `{kind}`; the policy asks `{names[0]}` only"
        context.lose("VSR538", message, algorithm.span, f"Name another of its models ({others}) if that is better.")
        return {"model": names[0]}
    message = f"the stock router always takes the first model of decision `{item.name}`, so {others} are left out"
    context.lose("VSR538", message, item.fields.at("modelRefs"), "Write a `split` to share requests.", Severity.NOTE)
    return {"model": names[0]}


def _name(context: Context, ref: Fields) -> str:
    adapter = ref.text("lora_name")
    if adapter and adapter in context.models:
        return context.models[adapter]
    return models.ensure(context, ref.text("model"), ref.value_at("model"))


def _reasoning(context: Context, ref: Fields, names: list[str]) -> dict[str, Any]:
    """Return reasoning and effort of a reference, as far as the families of all models have them."""
    if boolean(ref.take("use_reasoning")) is not True:
        found = [FAMILIES.get(context.families.get(context.bases.get(name, name), "")) for name in names]
        always = all(family is not None and "disabled" not in family.modes for family in found)
        return {"reasoning": True} if always else {}  # it cannot be switched off, and 0.4.0 refuses to say so
    effort = ref.text("reasoning_effort") or context.default_effort
    families = [FAMILIES.get(context.families.get(context.bases.get(name, name), "")) for name in names]
    if None in families:
        what = "reasoning that is not switched on, because the family of the model is not known"
        hint = "Set `reasoningFamily` of the models."
        unknown = next(name for name, family in zip(names, families, strict=True) if family is None)
        context.group("VSR526", what, unknown, ref.span, hint)
        return {}
    if effort and all(family is not None and effort in family.levels for family in families):
        return {"effort": effort}
    return {"reasoning": True}


def default(context: Context, providers: Fields, found: list[Decision], span: Span) -> str:
    """Return the model of requests that no decision matches."""
    defaults = providers.fields("defaults")
    name = defaults.text("model") or defaults.text("default_model")
    if name:
        return context.models[name] if name in context.models else models.ensure(context, name, defaults.span)
    for item in reversed(found):
        for node in item.fields.items("modelRefs"):
            ref = Fields.of(node, "modelRefs", span)
            if ref.text("model"):
                first = _name(context, ref)
                message = (
                    f"the source has no default model: it refuses what no decision matches; the policy asks `{first}`"
                )
                context.lose("VSR525", message, defaults.span, "Name the model for such requests at `default`.")
                return first
    first = next(iter(context.models.values()), "")
    return first or models.ensure(context, "model", span)
