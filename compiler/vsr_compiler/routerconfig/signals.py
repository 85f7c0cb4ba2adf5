"""Signals, categories and conditions in the router's config, for both router implementations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from vsr_compiler import ir
from vsr_compiler.ir.signals import (
    ClientSignal,
    ComplexitySignal,
    ContextSignal,
    ConversationSignal,
    EmbeddingSignal,
    JailbreakSignal,
    KeywordSignal,
    LabelSignal,
    LanguageSignal,
    ModalitySignal,
    PiiSignal,
    StructureSignal,
)
from vsr_schemas.modalities import MODALITIES, Modality
from vsr_schemas.routerconfig import v0_4_0 as stock

OPERATORS = {"any": "OR", "all": "AND", "none": "NOR"}
TYPES: Mapping[type, str] = {
    KeywordSignal: "keyword",
    ContextSignal: "context",
    StructureSignal: "structure",
    ConversationSignal: "conversation",
    EmbeddingSignal: "embedding",
    JailbreakSignal: "jailbreak",
    PiiSignal: "pii",
    ClientSignal: "authz",
    LabelSignal: "classifier",
}
"""The type of a signal in conditions, for kinds whose rule has the signal's name."""
Rule = (
    stock.KeywordRule
    | stock.ContextRule
    | stock.StructureRule
    | stock.ConversationRule
    | stock.EmbeddingRule
    | stock.LanguageRule
    | stock.InputModalityRule
    | stock.ComplexityRule
    | stock.JailbreakRule
    | stock.PiiRule
)
Branch = dict[str, Any]
"""A condition in the config."""


def domain(category: ir.Category) -> stock.Domain:
    """Return a category, with the label of the stock classifier if it has one."""
    mmlu = [category.name] if category.name in stock.MMLU_CATEGORIES else None
    return stock.Domain(name=category.name, description=category.description, mmlu_categories=mmlu)


def collected(policy: ir.Policy, pii: Callable[[str, PiiSignal], stock.PiiRule]) -> dict[str, list[Rule]]:
    """Return the policy's signals by collection, each sorted by name.

    Args:
        policy: The linked policy.
        pii: Returns the rule of a PII signal; the implementations name types differently.
    """
    rules: dict[str, list[Rule]] = {}
    codes: set[str] = set()
    modalities: set[Modality] = set()
    for signal in policy.signals:
        if isinstance(signal.kind, LanguageSignal):
            codes.update(signal.kind.codes)
        elif isinstance(signal.kind, ModalitySignal):
            modalities.update(signal.kind.kinds)
        elif isinstance(signal.kind, ClientSignal | LabelSignal):
            continue  # the runtime's settings have its tests, and its labels
        elif isinstance(signal.kind, PiiSignal):
            rules.setdefault("pii", []).append(pii(signal.name, signal.kind))
        else:
            collection, rule = signal_rule(signal)
            rules.setdefault(collection, []).append(rule)
    if codes:  # one rule per language, shared by all signals
        rules["language"] = [stock.LanguageRule(name=code, description=f"Requests in {code}") for code in sorted(codes)]
    if modalities:  # likewise
        rules["input_modality"] = [
            stock.InputModalityRule(name=kind, description=f"Requests with {kind} content", modality=kind)
            for kind in MODALITIES
            if kind in modalities
        ]
    return rules


def signal_rule(signal: ir.Signal) -> tuple[str, Rule]:  # noqa: PLR0911 - one case for each kind
    """Return the collection and the rule of a signal.

    Raises:
        ValueError: The signal has no rule of its own.
    """
    match signal.kind:
        case KeywordSignal(words, match, regex, case_sensitive):
            return "keywords", stock.KeywordRule.model_validate(
                {
                    "name": signal.name,
                    "operator": OPERATORS[match],
                    "keywords": list(words),
                    "case_sensitive": case_sensitive,
                    "method": "regex" if regex else None,
                }
            )
        case ContextSignal(minimum, maximum):
            low, high = (None if bound is None else str(bound) for bound in (minimum, maximum))
            return "context", stock.ContextRule(name=signal.name, min_tokens=low, max_tokens=high)
        case StructureSignal(pattern, keywords, minimum, maximum):
            source = (
                {"type": "regex", "pattern": pattern}
                if pattern
                else {"type": "keyword_set", "keywords": list(keywords)}
            )
            counted = _counted(signal.name, source, minimum, maximum)
            return "structure", stock.StructureRule.model_validate(counted)
        case ConversationSignal(of, role, minimum, maximum):
            counted = _counted(signal.name, {"type": of, "role": role}, minimum, maximum)
            return "conversation", stock.ConversationRule.model_validate(counted)
        case EmbeddingSignal(sentences, threshold, aggregate):
            body = {"threshold": threshold, "candidates": list(sentences), "aggregation_method": aggregate}
            return "embeddings", stock.EmbeddingRule.model_validate({"name": signal.name, **body})
        case ComplexitySignal(hard, easy, _, threshold):
            sides = {"hard": {"candidates": list(hard)}, "easy": {"candidates": list(easy)}}
            body = {"name": signal.name, "threshold": threshold, **sides}
            return "complexity", stock.ComplexityRule.model_validate(body)
        case JailbreakSignal(_, threshold):
            return "jailbreak", stock.JailbreakRule(name=signal.name, threshold=threshold, include_history=True)
        case LanguageSignal() | ModalitySignal() | ClientSignal() | PiiSignal() | LabelSignal():
            raise ValueError(f"the signal {signal.name} has no rule of its own in the router's config")
    assert_never(signal.kind)


def signal_names(signal: ir.Signal) -> list[tuple[str, str]]:
    """Return the types and names of a signal's leaves in conditions. One for each language, and for each level."""
    match signal.kind:
        case LanguageSignal(codes):
            return [("language", code) for code in codes]
        case ComplexitySignal(level=level):
            return [("complexity", f"{signal.name}:{level}")]
        case kind:
            return [(TYPES[type(kind)], signal.name)]


def _counted(name: str, source: Mapping[str, object], minimum: int | None, maximum: int | None) -> Branch:
    bounds = {"gte": minimum, "lte": maximum}
    return {
        "name": name,
        "feature": {"type": "count", "source": source},
        "predicate": {key: float(value) for key, value in bounds.items() if value is not None},
    }


def rules(condition: ir.Condition, category: Callable[[ir.Category], str]) -> Branch:
    """Return the rules of a decision. Their root is always an operator.

    Args:
        condition: The condition of the route.
        category: Returns the type of the signal for a category.
    """
    branch = _branch(condition, category)
    return branch if "operator" in branch else {"operator": "AND", "conditions": [branch]}


def _branch(condition: ir.Condition, category: Callable[[ir.Category], str]) -> Branch:
    return ir.fold(
        condition,
        leaf=lambda leaf: _leaf(leaf, category),
        negated=lambda part: {"operator": "NOT", "conditions": [part]},
        all_of=lambda parts: {"operator": "AND", "conditions": list(parts)},
        any_of=lambda parts: {"operator": "OR", "conditions": list(parts)},
    )


def _leaf(leaf: ir.Leaf, category: Callable[[ir.Category], str]) -> Branch:
    match leaf:
        case ir.InCategory(matched):
            return {"type": category(matched), "name": matched.name}
        case ir.HasSignal(signal):
            return _signal(signal)
        case _:
            assert_never(leaf)


def _signal(signal: ir.Signal) -> Branch:
    match signal.kind:
        case LanguageSignal(codes):
            return {"operator": "OR", "conditions": [{"type": "language", "name": code} for code in codes]}
        case ModalitySignal(kinds):
            return {"operator": "OR", "conditions": [{"type": "input_modality", "name": kind} for kind in kinds]}
        case ComplexitySignal(level=level):
            return {"type": "complexity", "name": f"{signal.name}:{level}"}
        case kind:
            return {"type": TYPES[type(kind)], "name": signal.name}
