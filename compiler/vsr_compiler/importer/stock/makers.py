"""Bodies of signals: each function returns one, a constant, or why there is none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from typing import Any

from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.stock.context import Context, Signal
from vsr_compiler.importer.stock.detectors import jailbreak_detector, pii_signal
from vsr_compiler.importer.values import Fields
from vsr_schemas.languages import LANGUAGES
from vsr_schemas.modalities import MODALITIES
from vsr_schemas.runtime import MAX_COUNT

LANGUAGE_THRESHOLD = 0.3
PROSE = dict.fromkeys(("description",), "descriptions of signals have no effect on decisions")
HISTORY = {"include_history": "detectors always read the whole conversation", **PROSE}


def _keyword(context: Context, signal: Signal, _: str) -> dict[str, Any] | str | bool:
    fields = signal.fields
    words = [word for word in fields.texts("keywords") if word.strip()]
    operator, method = (fields.text("operator") or "OR").upper(), fields.text("method").lower()
    if fields.boolean("fuzzy_match"):
        method = "fuzzy"
    fields.taken.update({"bm25_threshold", "ngram_threshold", "ngram_arity", "fuzzy_threshold", "case_sensitive"})
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
        covered(fields.take("negative_candidates"))
        covered(fields.take("negative_image_candidates"))
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
    if threshold not in {None, 0, LANGUAGE_THRESHOLD}:
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
        for key in own:
            covered(fields.take(key))
        message = f"signal `{signal.name}` also has {', '.join(f'`{key}`' for key in own)}; only sentences are compared"
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
MAKERS: MappingOf[str, Maker] = {
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
