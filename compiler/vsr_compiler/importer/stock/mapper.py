"""One stock configuration in the layout of 0.4.0 as a draft of a policy."""

from __future__ import annotations

from vsr_compiler.diagnostics import Severity
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.stock import answers, decisions, detectors, guards, models, recipes, settings, signals
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.stock.dsl.scope import TESTS
from vsr_compiler.importer.stock.legacy import PROTECTIONS
from vsr_compiler.importer.values import Fields, plain
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
    top.taken.update({"providers", "routing", "global"})
    covered(top.take("version"))
    providers, shared = top.fields("providers"), top.fields("global")
    config = plain(root)
    routing, chosen = _routing(context, top)
    names = recipes.names(config, chosen)
    job.config = recipes.alone(config, chosen, names)
    settings.prepare(context, shared)
    models.models(context, providers, routing)
    signals.collect(context, routing.fields("signals"))
    _projections(context, routing)
    found = decisions.decisions(context, routing)
    context.default = answers.default(context, providers, found, root.span)
    _protections(context, top)
    decisions.routes(context, found)
    job.draft.sections["default"] = context.default
    settings.apply(context, shared)
    settings.entrypoints(context, names, top.at("entrypoints"), only=chosen != recipes.DEFAULT and bool(names))
    signals.unused(context)
    _unused_projections(context)
    _tests(context, routing)
    _fallback(context, routing)
    _reading(context, routing)
    routing.taken.update({"strategy", "modelCards", "decisions", "signals"})
    context.leftovers(routing, ROUTING)
    context.leftovers(top, TOP)
    _tidy(job, context.needed)


def _routing(context: Context, top: Fields) -> tuple[Fields, str]:
    """Return the routing of the configuration, or of its first entry point, and the name of its recipe."""
    routing = top.fields("routing")
    others = [Fields.of(node, f"recipes[{index}]", top.span) for index, node in enumerate(top.items("recipes"))]
    entries = [Fields.of(node, "entrypoints", top.span) for node in top.items("entrypoints")]
    for entry in entries:
        covered(entry.node)
    asked = context.job.options.recipe
    if asked and not any(recipe.text("name") == asked for recipe in others):
        message = f"the source has no recipe `{asked}`"
        context.lose("VSR522", message, top.at("recipes"), "Name one of its recipes, or none.")
    elif asked and routing.has("decisions"):
        message = "the decisions outside recipes are not imported, because another recipe is asked for"
        context.lose("VSR525", message, routing.at("decisions"), "Import them without --recipe.")
        for key in [key for key in routing.node.entries if key != "modelCards"]:
            covered(routing.take(key))
    if not asked and (routing.items("decisions") or not others):
        _left_out(context, others)
        return routing, recipes.DEFAULT
    if not others:
        return routing, recipes.DEFAULT
    wanted = asked or (entries[0].text("recipe") if entries else others[0].text("name"))
    chosen = next((recipe for recipe in others if recipe.text("name") == wanted), others[0])
    _left_out(context, [recipe for recipe in others if recipe is not chosen])
    own = chosen.fields("routing")
    own.node.entries.setdefault("modelCards", (routing.span, routing.take("modelCards") or Mapping(routing.span)))
    return own, chosen.text("name")


def _left_out(context: Context, recipes: list[Fields]) -> None:
    for recipe in recipes:
        covered(recipe.node)
        message = f"recipe `{recipe.text('name')}` is not imported, because a policy has one set of routes"
        hint = "Import it as a policy of its own with the option --recipe and its name."
        context.lose("VSR525", message, recipe.value_at("name"), hint)


def _protections(context: Context, top: Fields) -> None:
    """Add the guards that releases before 0.3 have for every request."""
    for node in top.items(PROTECTIONS):
        fields = Fields.of(node, "protection", top.span)
        type_, span = fields.text("type"), fields.value_at("at")
        threshold = fields.number("threshold")
        if type_ == "jailbreak":
            model = detectors.detector(context, "jailbreak", span)
            guards.by_settings(
                context, "jailbreak", {"detector": model, "threshold": 0.7 if threshold is None else threshold}, span
            )
            continue
        denied = detectors.denied_types(context, fields, "pii_types_allowed", span)
        body = detectors.data_body(context, denied, threshold, span)
        exempt = [context.models[name] for name in fields.texts("except") if name in context.models]
        if denied:
            guards.by_settings(context, "pii", {**body, **({"except": {"models": exempt}} if exempt else {})}, span)


def _projections(context: Context, routing: Fields) -> None:
    """Remember scores and mappings, which are written out where decisions test them."""
    projections = routing.fields("projections")
    for node in projections.items("scores"):
        score = Fields.of(node, "projections.scores", projections.span)
        context.scores[score.text("name")] = score
    context.mappings = [Fields.of(node, "projections", projections.span) for node in projections.items("mappings")]
    for node in projections.items("partitions"):
        partition = Fields.of(node, "projections.partitions", projections.span)
        what = "signals of which the source takes the best one, and the policy each that holds"
        context.group("VSR525", what, partition.text("name"), partition.value_at("name"), "Check the order of routes.")
        covered(partition.node)
    context.leftovers(projections)


def _unused_projections(context: Context) -> None:
    """Report scores and mappings that no decision tests."""
    for fields in (*context.scores.values(), *context.mappings):
        name = fields.text("name")
        if name not in context.projected:
            context.group("VSR527", "projections that no decision uses", name, fields.value_at("name"))
            covered(fields.node)


def _tests(context: Context, routing: Fields) -> None:
    """Add the tests of a program whose decisions the policy has."""
    made = {item.decision: item for item in context.job.correspondences}
    guards_ = context.job.draft.mapping("guards")
    for node in routing.items(TESTS):
        test = Fields.of(node, "TEST", routing.span)
        prompt, decision = test.text("prompt"), test.text("route")
        found = made.get(decision)
        names = found.names if found is not None else ()
        if not prompt.strip() or not names:
            message = f"a test of decision `{decision}` is not carried over, because the policy has no such route"
            context.lose("VSR526", message, test.value_at("prompt"), "Write what the policy does with its prompt.")
            continue
        expect = {"guards": list(names)} if set(names) <= set(guards_) else {"route": names[0]}
        context.job.draft.append("tests", {"prompt": prompt, "expect": expect})


def _reading(context: Context, routing: Fields) -> None:
    """Say once what the signals of a policy read."""
    if context.needed or context.job.draft.mapping("categories"):
        message = "signals of the stock router read the whole last turn, those of a policy what the person asks in it"
        hint = "Text that a client adds to the turn, such as documents, then decides nothing. Test such requests."
        context.lose("VSR525", message, routing.at("signals"), hint, Severity.NOTE)


def _fallback(context: Context, routing: Fields) -> None:
    fallback = routing.fields("fallback")
    if fallback.boolean("enabled"):
        message = "models that are asked after a failure are not carried over"
        context.lose("VSR526", message, fallback.span, "Write `fallback` and `retry` at the routes.")
        covered(fallback.node)
    elif fallback.has("enabled"):
        context.group("VSR527", "parts that are switched off", "routing.fallback", fallback.span)
        covered(fallback.node)
    fallback.taken.update(fallback.node.entries)


def _tidy(job: Job, needed: set[str]) -> None:
    """Remove sections that stayed empty, and let each request be decided by itself, as the stock router does."""
    draft = job.draft
    signals_ = draft.mapping("signals")
    for name in [name for name in signals_ if name not in needed]:
        del signals_[name]
        draft.comments.pop(("signals", name), None)
    for name in ("signals", "categories", "guards", "classifiers", "routes"):
        if name in draft.sections and not draft.sections[name]:
            del draft.sections[name]
    if draft.sections.get("routes"):
        draft.sections["stickiness"] = {"mode": "none"}
        draft.comment(("stickiness",), "As the stock router: each request is decided by its last turn alone.")
