"""Signals and conditions in the router's config: the same for our runtime and for the stock router."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vsr_compiler import ir
from vsr_compiler.ir.signals import (
    Complexity,
    Context,
    Conversation,
    Jailbreak,
    Keywords,
    Language,
    Pii,
    Similar,
    Structure,
)
from vsr_schemas.routerconfig import v0_4_0 as stock

OPERATORS = {"any": "OR", "all": "AND", "none": "NOR"}
TYPES: Mapping[type, str] = {
    Keywords: "keyword",
    Context: "context",
    Structure: "structure",
    Conversation: "conversation",
    Similar: "embedding",
    Jailbreak: "jailbreak",
    Pii: "pii",
}
"""How conditions call a signal that bears its own name there."""
PLAIN = (Keywords, Context, Structure, Conversation)
"""What every engine finds alike: it takes no model."""
Rule = (
    stock.Keyword
    | stock.Context
    | stock.Structure
    | stock.Conversation
    | stock.Embedding
    | stock.Language
    | stock.Complexity
    | stock.Jailbreak
    | stock.Pii
)
Branch = dict[str, Any]
"""A condition as the config has it."""


def collected(policy: ir.Policy, pii: Callable[[str, Pii], stock.Pii]) -> dict[str, list[Rule]]:
    """The policy's signals by collection, each sorted by name.

    Args:
        policy: The linked policy.
        pii: Makes the rule of a signal of personal data, whose types each engine calls its own.
    """
    found: dict[str, list[Rule]] = {}
    codes: set[str] = set()
    for signal in policy.signals:
        if isinstance(signal.body, Language):
            codes.update(signal.body.codes)
        elif isinstance(signal.body, Pii):
            found.setdefault("pii", []).append(pii(signal.name, signal.body))
        else:
            collection, rule = signal_rule(signal)
            found.setdefault(collection, []).append(rule)
    if codes:  # one rule for a language serves every signal that asks for it
        found["language"] = [stock.Language(name=code, description=f"Requests in {code}") for code in sorted(codes)]
    return found


def signal_rule(signal: ir.Signal) -> tuple[str, Rule]:
    """One signal: its collection, and what stands there.

    Raises:
        ValueError: The config has no word for it.
    """
    match signal.body:
        case Keywords(words, match, regex, case_sensitive):
            return "keywords", stock.Keyword.model_validate(
                {
                    "name": signal.name,
                    "operator": OPERATORS[match],
                    "keywords": list(words),
                    "case_sensitive": case_sensitive,
                    "method": "regex" if regex else None,
                }
            )
        case Context(minimum, maximum):
            low, high = (None if each is None else str(each) for each in (minimum, maximum))
            return "context", stock.Context(name=signal.name, min_tokens=low, max_tokens=high)
        case Structure(pattern, keywords, minimum, maximum):
            source = (
                {"type": "regex", "pattern": pattern}
                if pattern
                else {"type": "keyword_set", "keywords": list(keywords)}
            )
            counted = _counted(signal.name, source, minimum, maximum)
            return "structure", stock.Structure.model_validate(counted)
        case Conversation(of, role, minimum, maximum):
            counted = _counted(signal.name, {"type": of, "role": role}, minimum, maximum)
            return "conversation", stock.Conversation.model_validate(counted)
        case _:
            return _by_model(signal)


def _by_model(signal: ir.Signal) -> tuple[str, Rule]:
    match signal.body:
        case Similar(sentences, threshold, aggregate):
            body = {"threshold": threshold, "candidates": list(sentences), "aggregation_method": aggregate}
            return "embeddings", stock.Embedding.model_validate({"name": signal.name, **body})
        case Complexity(hard, easy, _, threshold):
            sides = {"hard": {"candidates": list(hard)}, "easy": {"candidates": list(easy)}}
            body = {"name": signal.name, "threshold": threshold, **sides}
            return "complexity", stock.Complexity.model_validate(body)
        case Jailbreak(_, threshold):
            return "jailbreak", stock.Jailbreak(name=signal.name, threshold=threshold, include_history=True)
        case _:
            raise ValueError(f"the signal {signal.name} has no form in the router's config")


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
    match condition:
        case ir.InCategory(asked):
            return {"type": category(asked), "name": asked.name}
        case ir.HasSignal(signal):
            return _leaf(signal)
        case ir.Not(part):
            return {"operator": "NOT", "conditions": [_branch(part, category)]}
        case ir.All(parts):
            return {"operator": "AND", "conditions": [_branch(part, category) for part in parts]}
        case ir.Any(parts):
            return {"operator": "OR", "conditions": [_branch(part, category) for part in parts]}


def _leaf(signal: ir.Signal) -> Branch:
    match signal.body:
        case Language(codes):
            return {"operator": "OR", "conditions": [{"type": "language", "name": code} for code in codes]}
        case Complexity(level=level):
            return {"type": "complexity", "name": f"{signal.name}:{level}"}
        case body:
            return {"type": TYPES[type(body)], "name": signal.name}
