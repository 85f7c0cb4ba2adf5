"""Signals and conditions in the router's config: the same for our runtime and for the stock router."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from vsr_compiler import ir
from vsr_compiler.ir.signals import (
    ComplexitySignal,
    ContextSignal,
    ConversationSignal,
    EmbeddingSignal,
    JailbreakSignal,
    KeywordSignal,
    LanguageSignal,
    PiiSignal,
    RoleSignal,
    StructureSignal,
)
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
}
"""How conditions call a signal that bears its own name there."""
Rule = (
    stock.KeywordRule
    | stock.ContextRule
    | stock.StructureRule
    | stock.ConversationRule
    | stock.EmbeddingRule
    | stock.LanguageRule
    | stock.ComplexityRule
    | stock.JailbreakRule
    | stock.PiiRule
)
Branch = dict[str, Any]
"""A condition as the config has it."""


def collected(policy: ir.Policy, pii: Callable[[str, PiiSignal], stock.PiiRule]) -> dict[str, list[Rule]]:
    """The policy's signals by collection, each sorted by name.

    Args:
        policy: The linked policy.
        pii: Makes the rule of a signal of personal data, whose types each engine calls its own.
    """
    found: dict[str, list[Rule]] = {}
    codes: set[str] = set()
    for signal in policy.signals:
        if isinstance(signal.kind, LanguageSignal):
            codes.update(signal.kind.codes)
        elif isinstance(signal.kind, PiiSignal):
            found.setdefault("pii", []).append(pii(signal.name, signal.kind))
        else:
            collection, rule = signal_rule(signal)
            found.setdefault(collection, []).append(rule)
    if codes:  # one rule for a language serves every signal that asks for it
        found["language"] = [stock.LanguageRule(name=code, description=f"Requests in {code}") for code in sorted(codes)]
    return found


def signal_rule(signal: ir.Signal) -> tuple[str, Rule]:  # noqa: PLR0911 - one case for each kind
    """One signal: its collection, and what stands there.

    Raises:
        ValueError: The config has no word for it.
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
            low, high = (None if each is None else str(each) for each in (minimum, maximum))
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
        case LanguageSignal() | RoleSignal() | PiiSignal():
            raise ValueError(f"the signal {signal.name} has no rule of its own in the router's config")
    assert_never(signal.kind)


def _counted(name: str, source: Mapping[str, object], minimum: int | None, maximum: int | None) -> Branch:
    bounds = {"gte": minimum, "lte": maximum}
    return {
        "name": name,
        "feature": {"type": "count", "source": source},
        "predicate": {key: float(value) for key, value in bounds.items() if value is not None},
    }


def rules(condition: ir.Condition, category: Callable[[ir.Category], str]) -> Branch:
    """A decision's rules: what it is asked under, which is an operator always.

    Args:
        condition: The route's.
        category: The type of the signal that tells a category.
    """
    found = _branch(condition, category)
    return found if "operator" in found else {"operator": "AND", "conditions": [found]}


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
        case ir.InCategory(found):
            return {"type": category(found), "name": found.name}
        case ir.HasSignal(signal):
            return _signal(signal)
        case _:
            assert_never(leaf)


def _signal(signal: ir.Signal) -> Branch:
    match signal.kind:
        case LanguageSignal(codes):
            return {"operator": "OR", "conditions": [{"type": "language", "name": code} for code in codes]}
        case ComplexitySignal(level=level):
            return {"type": "complexity", "name": f"{signal.name}:{level}"}
        case kind:
            return {"type": TYPES[type(kind)], "name": signal.name}
