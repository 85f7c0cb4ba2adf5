"""One stock configuration in the layout of 0.4.0 as a draft of a policy."""

from __future__ import annotations

from vsr_compiler.importer.family import Job
from vsr_compiler.importer.stock import decisions, models, settings, signals
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.values import Fields
from vsr_compiler.syntax.nodes import Mapping

LISTENERS = "listeners: the gateway has them"
ROUTING = {
    "strategy": "",
    "candidate_requirements": "requirements of models that are selected",
    "data_policy": "records of decisions",
    "model_bindings": "settings of services that the gateway or the runtime does itself",
    "fallback": "",
}
TOP = {"version": "", "setup": LISTENERS, "listeners": LISTENERS, "evaluation": "evaluations of models"}


def carry_over(root: Mapping, job: Job) -> None:
    """Fill the draft of a job from a configuration."""
    context = Context(job)
    top = Fields.of(root, "", root.span)
    top.taken.update({"version", "providers", "routing", "global"})
    providers, shared = top.fields("providers"), top.fields("global")
    routing, names = _routing(context, top)
    settings.prepare(context, shared)
    models.models(context, providers, routing)
    signals.collect(context, routing.fields("signals"))
    found = decisions.decisions(context, routing)
    context.default = decisions.default(context, providers, found, root.span)
    decisions.routes(context, found)
    job.draft.sections["default"] = context.default
    settings.apply(context, shared)
    settings.entrypoints(context, names)
    signals.unused(context)
    _projections(context, routing)
    _fallback(context, routing)
    routing.taken.update({"strategy", "modelCards", "decisions", "signals"})
    context.leftovers(routing, ROUTING)
    context.leftovers(top, TOP)
    _tidy(job)


def _routing(context: Context, top: Fields) -> tuple[Fields, list[str]]:
    """Return the routing of the configuration, or of its first entry point, with the names that lead to it."""
    routing = top.fields("routing")
    recipes = [Fields.of(node, f"recipes[{index}]", top.span) for index, node in enumerate(top.items("recipes"))]
    entries = [Fields.of(node, "entrypoints", top.span) for node in top.items("entrypoints")]
    if routing.items("decisions") or not recipes:
        _left_out(context, recipes)
        return routing, []
    wanted = entries[0].text("recipe") if entries else recipes[0].text("name")
    chosen = next((recipe for recipe in recipes if recipe.text("name") == wanted), recipes[0])
    _left_out(context, [recipe for recipe in recipes if recipe is not chosen])
    names = [
        name for entry in entries if entry.text("recipe") == chosen.text("name") for name in entry.texts("model_names")
    ]
    own = chosen.fields("routing")
    own.node.entries.setdefault("modelCards", (routing.span, routing.take("modelCards") or Mapping(routing.span)))
    return own, names


def _left_out(context: Context, recipes: list[Fields]) -> None:
    for recipe in recipes:
        message = f"recipe `{recipe.text('name')}` is not imported, because a policy has one set of routes"
        hint = "Import it as a policy of its own: remove the other recipes from a copy of the source."
        context.lose("VSR525", message, recipe.value_at("name"), hint)


def _projections(context: Context, routing: Fields) -> None:
    projections = routing.fields("projections")
    for key, span, _ in projections.rest():
        context.group("VSR526", "scores of several signals, which the policy language does not have", key, span)


def _fallback(context: Context, routing: Fields) -> None:
    fallback = routing.fields("fallback")
    if fallback.boolean("enabled"):
        message = "models that are asked after a failure are not carried over"
        context.lose("VSR526", message, fallback.span, "Write `fallback` and `retry` at the routes.")
    fallback.taken.update(fallback.node.entries)


def _tidy(job: Job) -> None:
    """Remove sections that stayed empty, and let each request be decided by itself, as the stock router does."""
    draft = job.draft
    for name in ("signals", "categories", "guards", "classifiers", "routes"):
        if name in draft.sections and not draft.sections[name]:
            del draft.sections[name]
    if draft.sections.get("routes"):
        draft.sections["stickiness"] = {"mode": "none"}
        draft.comment(("stickiness",), "As the stock router: each request is decided by its last turn alone.")
