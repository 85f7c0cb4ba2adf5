"""Signals of the stock router as categories and signals. One is added to the policy when a decision uses it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.categories import builtin
from vsr_compiler.importer.stock.conditions import Condition, Leaf, disjunction
from vsr_compiler.importer.stock.context import Context, Signal
from vsr_compiler.importer.stock.detectors import jailbreak_detector, pii_signal
from vsr_compiler.importer.values import Fields, text
from vsr_schemas.languages import LANGUAGES
from vsr_schemas.modalities import MODALITIES
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES
from vsr_schemas.runtime import MAX_COUNT

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
PROTECTIVE = frozenset({"pii", "jailbreak", "safety"})
"""Types whose loss is an error wherever they are used."""
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
    "projection": "a score of several signals",
}
"""What the signals need that the policy language has no word for."""
DEFAULTS = {"language": 0.3}
PROSE = dict.fromkeys(("description",), "descriptions of signals have no effect on decisions")
HISTORY = {"include_history": "detectors always read the whole conversation", **PROSE}


def collect(context: Context, signals: Fields) -> None:
    """Remember all signals of the source."""
    for collection, type_ in COLLECTIONS.items():
        for index, node in enumerate(signals.items(collection)):
            fields = Fields.of(node, f"signals.{collection}[{index}]", signals.at(collection))
            name = fields.text("name")
            if name:
                context.signals.setdefault((type_, name), Signal(type_, name, fields, fields.value_at("name")))
    context.leftovers(signals)


def unused(context: Context) -> None:
    """Report signals that no decision uses."""
    for signal in context.signals.values():
        if not signal.used:
            context.group("VSR527", "signals that no decision uses", signal.name, signal.span)


def leaf(context: Context, found: Leaf) -> Condition | str:
    """Return the condition of a leaf, whose signal is added to the policy; or why there is none."""
    name, level = found.name, ""
    if found.type == "complexity" and ":" in name:
        name, level = name.rsplit(":", 1)
    signal = context.signals.get((found.type, name))
    if signal is not None:
        signal.used = True
    if found.type == "domain":
        return _domain(context, found, signal)
    if found.type in MODEL_BASED:
        return f"it needs {MODEL_BASED[found.type]}"
    if signal is None:
        if found.type in {"language", "input_modality"}:
            signal = Signal(found.type, name, Fields.of(None, found.type, found.span), found.span)
        else:
            return "the source defines no such signal, so it never matches"
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
    if name not in known:
        known[name] = dict(builtin()[name])
        what = "categories with built-in examples, because the stock router's classifier is a checkpoint"
        context.group("VSR536", what, name, span, "Replace the examples by prompts of your users, and run `eval`.")
    return {"category": name}


def _own(context: Context, found: Leaf, signal: Signal | None) -> Condition | str:
    """Return a category that the stock classifier does not have."""
    description = text(signal.fields.take("description")) if signal else ""
    if not description:
        return "the stock router's classifier has no such category, so it never matches"
    known = context.job.draft.mapping("categories")
    name = context.job.names.new("category", found.name, found.span, key="category")
    if name not in known:
        known[name] = {"description": description, "examples": [description]}
        context.job.draft.comment(("categories", name), "Add prompts of this category as your users write them.")
        message = f"the category `{found.name}` has no examples: its description is the only one"
        hint = "Add about ten prompts of your users. The stock router's own classifier never finds this category."
        context.lose("VSR536", message, signal.span if signal else found.span, hint)
    return {"category": name}


def _keyword(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    fields = signal.fields
    words = [word for word in fields.texts("keywords") if word.strip()]
    operator, method = (fields.text("operator") or "OR").upper(), fields.text("method").lower()
    if fields.boolean("fuzzy_match"):
        method = "fuzzy"
    fields.taken.update({"bm25_threshold", "ngram_threshold", "ngram_arity", "fuzzy_threshold"})
    context.leftovers(fields, PROSE)
    if not words:
        return operator == "NOR"
    if method not in {"", "regex"}:
        return f"its method `{method}` is not supported"
    if method == "regex" and (problem := _bad_pattern(words)):
        return problem
    body: dict[str, Any] = {"keywords": words}
    if match := {"AND": "all", "NOR": "none"}.get(operator):
        body["match"] = match
    if method == "regex":
        body["regex"] = True
    if fields.boolean("case_sensitive"):
        body["caseSensitive"] = True
    return body


def _bad_pattern(patterns: list[str]) -> str:
    """Return what is wrong with the first pattern that the router would not load; empty if none is."""
    import re2  # noqa: PLC0415 - most sources have no patterns

    options = re2.Options()
    options.log_errors = False
    for pattern in patterns:
        try:
            compiled = re2.compile(pattern, options)
        except re2.error as error:
            return f"the pattern `{pattern[:60]}` is not valid: {error}"
        if compiled.match("") is not None and compiled.fullmatch("") is not None:
            return f"the pattern `{pattern[:60]}` matches the empty text"
    return ""


def _embedding(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    fields = signal.fields
    sentences = list(dict.fromkeys(word for word in fields.texts("candidates") if word.strip()))
    threshold, how = fields.number("threshold"), (fields.text("aggregation_method") or "max").lower()
    modality = (fields.text("query_modality") or "text").lower()
    negative = fields.has("negative_candidates") or fields.has("negative_image_candidates")
    fields.taken.update({"prototype_scoring", "negative_candidates", "negative_image_candidates", "image_candidates"})
    context.leftovers(fields, PROSE)
    if modality != "text" or not sentences:
        return f"it compares {modality} content" if modality != "text" else "it has no candidates"
    if negative:
        message = f"signal `{signal.name}` also has negative candidates, which are not compared"
        context.lose("VSR524", message, signal.span, "Raise the threshold, or test it with prompts.")
    what = "thresholds of similarity that were chosen for another encoder"
    context.group("VSR528", what, signal.name, signal.span, "Test them with prompts of your users, and adjust them.")
    body: dict[str, Any] = {"to": sentences, "threshold": min(max(0.5 if threshold is None else threshold, -1), 1)}
    if how == "mean":
        body["aggregate"] = "mean"
    return {"embedding": body}


def _context_length(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    low, high = _tokens(signal.fields.text("min_tokens")), _tokens(signal.fields.text("max_tokens"))
    context.leftovers(signal.fields, PROSE)
    body = {key: value for key, value in (("min", low), ("max", high)) if value is not None}
    return {"context": body} if body else True


def _tokens(word: str) -> int | None:
    """Return a number of tokens such as ``1K`` or ``2.5M``; None without one."""
    match = re.fullmatch(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([KkMm]?)\s*", word)
    return None if match is None else int(float(match[1]) * {"": 1, "K": 1_000, "M": 1_000_000}[match[2].upper()])


def _language(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    threshold = signal.fields.number("threshold")
    context.leftovers(signal.fields, PROSE)
    if threshold not in {None, 0, DEFAULTS["language"]}:
        context.group("VSR528", "thresholds of languages, which are always 0.3", signal.name, signal.span)
    code = signal.name.lower()
    return {"language": code} if code in LANGUAGES else f"`{code}` is none of the languages that are known"


def _structure(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    feature = signal.fields.fields("feature")
    source, kind = feature.fields("source"), feature.text("type").lower() or "count"
    bounds = _bounds(signal.fields.fields("predicate"), exists=kind == "exists")
    type_, pattern, words = source.text("type").lower(), source.text("pattern"), source.texts("keywords")
    source.taken.update({"case_sensitive", "sequences"})
    for fields in (source, feature, signal.fields):
        context.leftovers(fields, PROSE)
    if kind not in {"count", "exists"} or type_ not in {"regex", "keyword_set"}:
        return f"it measures `{kind}` of `{type_}`"
    if isinstance(bounds, bool):
        return bounds
    if type_ == "regex":
        problem = _bad_pattern([pattern]) if pattern else "it has no pattern"
        return problem or {"structure": {"pattern": pattern, **bounds}}
    return {"structure": {"keywords": words, **bounds}} if words else "it has no keywords"


def _conversation(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    feature = signal.fields.fields("feature")
    source, kind = feature.fields("source"), feature.text("type").lower() or "count"
    bounds = _bounds(signal.fields.fields("predicate"), exists=kind == "exists")
    of, role = source.text("type").lower() or "message", source.text("role").lower()
    for fields in (source, feature, signal.fields):
        context.leftovers(fields, PROSE)
    if of not in {"message", "tool_definition", "assistant_tool_call", "image_content"}:
        return f"it counts `{of}`"
    if role not in {"", "user", "assistant", "system", "developer", "tool"}:
        return f"it counts messages of `{role}`"
    if isinstance(bounds, bool):
        return bounds
    return {"conversation": {"of": of, **({"role": role} if role else {}), **bounds}}


def _bounds(predicate: Fields, *, exists: bool) -> dict[str, int] | bool:
    """Return the bounds of a count, or a constant if they hold always or never."""
    low, high = 1 if exists else 0, MAX_COUNT
    for key in ("gt", "gte", "lt", "lte"):
        value = predicate.number(key)
        if value is None:
            continue
        if key == "gt":
            low = max(low, math.floor(value) + 1)
        elif key == "gte":
            low = max(low, math.ceil(value))
        else:
            high = min(high, math.floor(value) if key == "lte" else math.ceil(value) - 1)
    if low > high:
        return False
    found = ({"min": low} if low > 0 else {}) | ({"max": high} if high < MAX_COUNT else {})
    return found or True


def _complexity(context: Context, signal: Signal, level: str) -> dict[str, Any] | str | bool:
    fields = signal.fields
    hard, easy = (fields.fields(side) for side in ("hard", "easy"))
    threshold = fields.number("threshold")
    sides = {
        name: [word for word in side.texts("candidates") if word.strip()]
        for name, side in (("hard", hard), ("easy", easy))
    }
    for side in (hard, easy):
        side.taken.add("image_candidates")
    own = [key for key in ("composer", "hard_above", "easy_below", "hard_below", "easy_above") if fields.has(key)]
    fields.taken.update({*own, "prototype_scoring"})
    context.leftovers(fields, PROSE)
    if not sides["hard"] or not sides["easy"]:
        return "it has no sentences for `hard` and `easy`"
    sides["easy"] = [word for word in sides["easy"] if word not in sides["hard"]]
    if own:
        message = f"signal `{signal.name}` also has {', '.join(f'`{key}`' for key in own)}, which are not carried over"
        context.lose("VSR524", message, signal.span)
    what = "thresholds of similarity that were chosen for another encoder"
    context.group("VSR528", what, signal.name, signal.span, "Test them with prompts of your users, and adjust them.")
    word = level if level in {"hard", "medium", "easy"} else "hard"
    body: dict[str, Any] = {**sides, "level": word}
    if threshold is not None:
        body["threshold"] = min(max(threshold, 0), 2)
    return {"complexity": body}


def _modality(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    kind = (signal.fields.text("modality") or signal.name).lower()
    context.leftovers(signal.fields, PROSE)
    return {"modality": kind} if kind in MODALITIES else f"`{kind}` is no modality that can be tested"


def _authz(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    users: list[str] = []
    groups: list[str] = []
    for node in signal.fields.items("subjects"):
        subject = Fields.of(node, "subjects", signal.span)
        (users if subject.text("kind").lower() == "user" else groups).append(subject.text("name"))
    signal.fields.taken.add("role")
    context.leftovers(signal.fields, PROSE)
    body = {key: [name for name in names if name] for key, names in (("users", users), ("groups", groups))}
    body = {key: names for key, names in body.items() if names}
    return {"role": body} if body else "it has no subjects"


def _jailbreak(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    detector, threshold = jailbreak_detector(context, signal)
    context.leftovers(signal.fields, HISTORY)
    return {"jailbreak": {"detector": detector, "threshold": threshold}}


def _pii(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    body = pii_signal(context, signal)
    context.leftovers(signal.fields, HISTORY)
    return {"pii": body} if body else False


Maker = Callable[[Context, Signal, str], "dict[str, Any] | str | bool"]
MAKERS: Mapping[str, Maker] = {
    "keyword": _keyword,
    "embedding": _embedding,
    "context": _context_length,
    "language": _language,
    "structure": _structure,
    "conversation": _conversation,
    "complexity": _complexity,
    "input_modality": _modality,
    "authz": _authz,
    "jailbreak": _jailbreak,
    "pii": _pii,
}
"""Each returns the body of a signal, a constant, or why there is none."""
