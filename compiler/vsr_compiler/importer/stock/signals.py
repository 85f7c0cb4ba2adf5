"""Signals of the stock router as categories and signals. One is added to the policy when a decision uses it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.categories import builtin
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.stock.conditions import Condition, Leaf, disjunction
from vsr_compiler.importer.stock.context import Context, Signal
from vsr_compiler.importer.stock.makers import MAKERS, PROSE
from vsr_compiler.importer.stock.projections import PROTECTIVE, projected
from vsr_compiler.importer.values import Fields, text
from vsr_compiler.ir.labels import OTHER
from vsr_compiler.syntax.nodes import Mapping, Sequence
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES

COLLECTIONS = {
    "keywords": "keyword",
    "embeddings": "embedding",
    "domains": "domain",
    "fact_check": "fact_check",
    "user_feedbacks": "user_feedback",
    "reasks": "reask",
    "preferences": "preference",
    "language": "language",
    "context": "context",
    "structure": "structure",
    "complexity": "complexity",
    "modality": "modality",
    "role_bindings": "authz",
    "jailbreak": "jailbreak",
    "safety": "safety",
    "hallucination": "hallucination",
    "pii": "pii",
    "kb": "kb",
    "conversation": "conversation",
    "events": "event",
    "metadata": "metadata",
    "classifiers": "classifier",
    "input_modality": "input_modality",
}
"""The type of leaves by the collection of signals."""
MODEL_BASED = {
    "fact_check": "a classifier of facts",
    "user_feedback": "a classifier of feedback",
    "reask": "a comparison with earlier turns",
    "preference": "a classifier of preferences",
    "modality": "a classifier of the modality that is asked for",
    "safety": "a classifier of unsafe content",
    "hallucination": "a detector for responses",
    "kb": "a knowledge base",
    "event": "events of the client",
    "metadata": "metadata that clients set themselves",
    "classifier": "a classifier of its own",
}
"""What the signals need that the policy language has no word for."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A classifier with examples that ship with the compiler.

    Attributes:
        classifier: its name.
        examples: its set.
        labels: its labels.
        other: whether the set has texts without a label.
    """

    classifier: str
    examples: str
    labels: tuple[str, ...]
    other: bool = False


LABELS = {
    "fact_check": Labels("fact-check", "builtin:fact-check@1", ("needs_fact_check", "no_fact_check_needed")),
    "user_feedback": Labels(
        "feedback",
        "builtin:feedback@2",
        ("satisfied", "need_clarification", "wrong_answer", "want_different"),
        other=True,
    ),
}
"""The types of signals that such a classifier finds, if they have the names of its labels."""


def collect(context: Context, signals: Fields) -> None:
    """Remember all signals of the source."""
    for collection, type_ in COLLECTIONS.items():
        for index, node in enumerate(signals.items(collection)):
            fields = Fields.of(node, f"signals.{collection}[{index}]", signals.at(collection))
            name = fields.text("name")
            if type_ == "authz":
                _role(context, fields)
            elif name:
                context.signals.setdefault((type_, name), Signal(type_, name, fields, fields.value_at("name")))
    context.leftovers(signals)


def _role(context: Context, fields: Fields) -> None:
    """Remember a role, by whose name decisions test it. Several bindings of one role add up."""
    role = fields.text("role") or fields.text("name")
    known = context.signals.get(("authz", role))
    if known is None:
        context.signals["authz", role] = Signal("authz", role, fields, fields.value_at("role"))
        return
    subjects = [*known.fields.items("subjects"), *fields.items("subjects")]
    merged = Mapping(known.span, {"subjects": (known.span, Sequence(known.span, subjects))})
    context.signals["authz", role] = Signal("authz", role, Fields(merged), known.span)


def unused(context: Context) -> None:
    """Report signals that no decision uses."""
    for signal in context.signals.values():
        if not signal.used:
            context.group("VSR527", "signals that no decision uses", signal.name, signal.span)
            covered(signal.fields.node)


def leaf(context: Context, found: Leaf) -> Condition | str:
    """Return the condition of a leaf, whose signal is added to the policy; or why there is none."""
    condition = _leaf(context, found)
    if isinstance(condition, str):  # the decision reports it by name
        for type_, name in ((found.type, found.name), (found.type, found.name.rpartition(":")[0])):
            if (signal := context.signals.get((type_, name))) is not None:
                covered(signal.fields.node)
    context.job.leaves[f"{found.type}:{found.name}"] = condition
    return condition


def _leaf(context: Context, found: Leaf) -> Condition | str:
    name, level = found.name, ""
    if found.type == "complexity" and ":" in name:
        name, level = name.rsplit(":", 1)
    signal = context.signals.get((found.type, name))
    if signal is not None:
        signal.used = True
    if found.type == "domain":
        return _domain(context, found, signal)
    if found.type == "projection":
        return projected(context, found, partial(leaf, context))
    if found.type in LABELS and name in LABELS[found.type].labels and context.job.options.engine == "vsr-runtime":
        return _labelled(context, found, signal)
    if found.type in MODEL_BASED:
        return f"it needs {MODEL_BASED[found.type]}"
    return _own_signal(context, found, signal, name, level)


def _labelled(context: Context, found: Leaf, signal: Signal | None) -> Condition:
    """Return the label of a classifier that is trained from shipped examples."""
    known, shipped = context.job.draft.mapping("classifiers"), LABELS[found.type]
    if signal is None:
        signal = Signal(found.type, found.name, Fields.of(None, found.type, found.span), found.span)
    name = context.job.names.new("classifier", shipped.classifier, signal.span, key="labels")
    labels = (*shipped.labels, OTHER) if shipped.other else shipped.labels
    examples = {label: [shipped.examples] for label in labels}
    known.setdefault(name, {"task": "labels", "head": "compiled", "examples": examples})
    signal.fields.taken.add("name")
    context.leftovers(signal.fields, PROSE)
    what = "signals that are found by examples, because the stock router's classifier is a checkpoint"
    context.group("VSR563", what, found.name, signal.span, "Replace the examples by prompts of your users.")
    return _added(context, signal, "", {"label": {"classifier": name, "is": found.name}})


def _own_signal(context: Context, found: Leaf, signal: Signal | None, name: str, level: str) -> Condition | str:
    """Return the condition of a leaf whose signal the policy can have."""
    if signal is None:
        if found.type in {"language", "input_modality"}:
            signal = Signal(found.type, name, Fields.of(None, found.type, found.span), found.span)
        else:
            if found.type in PROTECTIVE:
                return "the source defines no such signal"
            message = f"the source defines no signal `{name}` of type `{found.type}`, so it never matches"
            context.lose("VSR525", message, found.span)
            return False
    maker = MAKERS.get(found.type)
    if maker is None:
        return f"the type `{found.type}` is not known"
    body = maker(context, signal, level)
    if isinstance(body, str | bool):
        return body
    return _added(context, signal, level, body)


def _added(context: Context, signal: Signal, level: str, body: dict[str, Any]) -> Condition:
    """Add a signal to the policy once. Return the condition that names it."""
    job = context.job
    known = job.draft.mapping("signals")
    wanted = f"{signal.name}-{level}" if level else signal.name
    name = job.names.new("signal", wanted, signal.span, key=(signal.type, level))
    if name not in known:
        known[name] = body
        _remark(context, signal, name)
    return {"signal": name}


def _remark(context: Context, signal: Signal, name: str) -> None:
    if signal.type in {"embedding", "complexity"}:
        encoder = context.encoder or "the stock router's encoder"
        context.job.draft.comment(("signals", name), f"The threshold was chosen for {encoder}; test it with prompts.")


def _domain(context: Context, found: Leaf, signal: Signal | None) -> Condition | str:
    """Return the categories of a domain: its own name, and those that its definition lists."""
    listed = signal.fields.texts("mmlu_categories") if signal else []
    names = [label for label in dict.fromkeys((found.name, *listed)) if label in MMLU_CATEGORIES]
    span = signal.span if signal is not None else found.span
    if signal is not None:
        signal.fields.taken.add("model_scores")
        context.leftovers(signal.fields, PROSE)
    for label in listed:
        if label not in MMLU_CATEGORIES:
            message = f"`{label}` is none of the classifier's categories, so the stock router never matches it"
            context.lose("VSR525", message, span)
    return disjunction([_category(context, name, span) for name in names]) if names else _own(context, found, signal)


def _category(context: Context, name: str, span: Span) -> Condition:
    """Return one of the classifier's categories, which gets examples."""
    known = context.job.draft.mapping("categories")
    if name == "other":  # it is what no other category is, so all of them are needed
        for label, body in builtin().items():
            known.setdefault(label, dict(body))
    if name not in known:
        known[name] = dict(builtin()[name])
        what = "categories with built-in examples, because the stock router's classifier is a checkpoint"
        context.group("VSR536", what, name, span, "Replace the examples by prompts of your users, and run `eval`.")
    return {"category": name}


def _own(context: Context, found: Leaf, signal: Signal | None) -> Condition | str:
    """Return a category that the stock classifier does not have."""
    description = text(signal.fields.take("description")) if signal else ""
    if not description:
        message = f"the stock router's classifier has no category `{found.name}`, so it never matches"
        context.lose("VSR525", message, found.span)
        return False
    known = context.job.draft.mapping("categories")
    name = context.job.names.new("category", found.name, found.span, key="category")
    if name not in known:
        known[name] = {"description": description, "examples": [description]}
        context.job.draft.comment(("categories", name), "Add prompts of this category as your users write them.")
        message = f"the category `{found.name}` has no examples: its description is the only one"
        hint = "Add about ten prompts of your users. The stock router's own classifier never finds this category."
        context.lose("VSR536", message, signal.span if signal else found.span, hint)
    return {"category": name}
