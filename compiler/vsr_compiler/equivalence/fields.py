"""Which fields of rules are understood. A rule with others is only known to be the same as one that is equal in all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROSE = frozenset({"name", "description"})
RULES: Mapping[str, frozenset[str]] = {
    "domain": frozenset({"mmlu_categories"}),
    "keyword": frozenset(
        {
            "operator",
            "keywords",
            "case_sensitive",
            "method",
            "fuzzy_match",
            "fuzzy_threshold",
            "bm25_threshold",
            "ngram_threshold",
            "ngram_arity",
        }
    ),
    "context": frozenset({"min_tokens", "max_tokens"}),
    "structure": frozenset({"feature", "predicate"}),
    "conversation": frozenset({"feature", "predicate"}),
    "pii": frozenset({"threshold", "pii_types_allowed", "include_history"}),
    "language": frozenset({"threshold"}),
    "input_modality": frozenset({"modality"}),
    "jailbreak": frozenset({"method", "threshold", "include_history", "jailbreak_patterns", "benign_patterns"}),
}
"""Fields by type. Rules of the other types are compared as a whole."""
NAMED = frozenset({"domain", "language", "preference", "fact_check", "user_feedback", "modality"})
"""Types whose name says what is looked for."""
FEATURE = frozenset({"type", "source"})
SOURCE: Mapping[str, frozenset[str]] = {
    "structure": frozenset({"type", "pattern", "keywords", "sequences", "case_sensitive"}),
    "conversation": frozenset({"type", "role"}),
}
PREDICATE = frozenset({"gt", "gte", "lt", "lte"})
ROUTING = frozenset({"modelCards", "signals", "projections", "decisions", "strategy"})
"""What of ``routing`` decides. Anything else is a difference unless both have it."""
CONDITION = frozenset({"type", "name", "operator", "conditions"})
REFERENCE = frozenset(
    {"model", "lora_name", "weight", "use_reasoning", "reasoning_effort", "reasoning", "reasoning_description"}
)
PLUGIN = frozenset({"type", "configuration"})


def understood(kind: str, rule: Mapping[str, Any]) -> bool:
    """Return whether every field of a rule is one that formulas tell."""
    known = RULES.get(kind)
    if known is None:
        return True
    if others(rule, known | PROSE):
        return False
    if kind not in SOURCE:
        return True
    feature, predicate = rule.get("feature"), rule.get("predicate")
    source = feature.get("source") if isinstance(feature, Mapping) else None
    return not (others(feature, FEATURE) or others(source, SOURCE[kind]) or others(predicate, PREDICATE))


def others(body: object, known: frozenset[str]) -> dict[str, Any]:
    """Return the fields of a mapping that are not known and say something."""
    if not isinstance(body, Mapping):
        return {}
    return {key: value for key, value in body.items() if key not in known and value not in (None, "", [], {})}
