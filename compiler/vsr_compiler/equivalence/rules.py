"""The formulas of single rules, which depend on nothing but the rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from vsr_compiler.equivalence.bodies import Body, canonical, dict_of, texts
from vsr_compiler.equivalence.fields import PROSE
from vsr_compiler.equivalence.formula import (
    Above,
    All,
    Formula,
    Is,
    IsOne,
    Key,
    Not,
    Some,
    Unknown,
    above,
    at_least,
    within,
)
from vsr_compiler.equivalence.numbers import number, tokens
from vsr_schemas.pii import type_of

TOKENS: Key = ("tokens",)


def labelled(labels: Iterable[str]) -> Formula:
    """Return the formula of labels of a classifier, of which one must be that of a request."""
    return Some(tuple(Is(Unknown(("label", label))) for label in sorted(labels)))


def personal(types: Sequence[str], threshold: Fraction, *, detector: str, history: bool) -> Formula:
    """Return that personal data of one of the types is found."""
    bound = Fraction(0) if detector == "patterns" else threshold
    names = sorted({type_of(name) for name in types})
    return Some(tuple(Is(Above(("pii", detector, history, kind), bound)) for kind in names))


def attack(threshold: Fraction, *, history: bool, method: str = "classifier", rest: str = "{}") -> Formula:
    """Return that an attack is found."""
    return Is(Above(("jailbreak", method, history, rest), threshold))


def context(_: str, rule: Body) -> Formula:
    """Return that the tokens of a request are within the bounds of a rule."""
    low, high = (tokens(rule.get(key)) for key in ("min_tokens", "max_tokens"))
    return within(TOKENS, low, high, whole=True)


def embedding(_: str, rule: Body) -> Formula:
    """Return that a request is as similar to the sentences of a rule as its threshold asks."""
    rest = {key: rule[key] for key in rule if key not in {"threshold", "candidates", "aggregation_method", *PROSE}}
    if rest.get("query_modality") in {None, "text"}:
        rest.pop("query_modality", None)
    aggregate = str(rule.get("aggregation_method") or "max")
    sentences = tuple(sorted(set(texts(rule.get("candidates")))))
    return Is(Above(("embedding", sentences, aggregate, canonical(rest)), number(rule.get("threshold"))))


def language(name: str, rule: Body) -> Formula:
    """Return that a request is in the language of a rule, with the confidence that it asks."""
    is_one = Is(IsOne(("language",), name))
    threshold = number(rule.get("threshold"))
    return All((is_one, Is(Above(("language confidence",), threshold)))) if threshold else is_one


def structure(_: str, rule: Body) -> Formula:
    """Return that a number or density of parts of the text is within the bounds of a rule."""
    feature = dict_of(rule.get("feature"))
    source = dict_of(feature.get("source"))
    sensitive = bool(source.get("case_sensitive"))
    words = sorted({word if sensitive else word.casefold() for word in texts(source.get("keywords"))})
    counted: Key = (str(source.get("type")), str(source.get("pattern")), tuple(words), sensitive)
    if source.get("sequences"):
        counted = (*counted[:1], canonical(source["sequences"]), *counted[2:])
    match feature.get("type"):
        case "count":
            return bounded(("count", *counted), rule.get("predicate"), whole=True)
        case "exists":
            return at_least(("count", *counted), Fraction(1), whole=True)
        case "density":
            return bounded(("density", *counted), rule.get("predicate"), whole=False)
        case _:
            return Is(Unknown(("structure", canonical(rule))))


def conversation(_: str, rule: Body) -> Formula:
    """Return that a number of messages or calls is within the bounds of a rule."""
    feature = dict_of(rule.get("feature"))
    source = dict_of(feature.get("source"))
    counted: Key = ("conversation", str(source.get("type")), str(source.get("role") or ""))
    if feature.get("type") == "exists":
        return at_least(counted, Fraction(1), whole=True)
    return bounded(counted, rule.get("predicate"), whole=True)


def bounded(source: Key, predicate: object, *, whole: bool) -> Formula:
    """Return that a number is within the bounds of a predicate; without bounds, that there is one."""
    bounds = dict_of(predicate)
    parts: list[Formula] = []
    for key in ("gte", "gt", "lte", "lt"):
        if bounds.get(key) is None:
            continue
        bound = number(bounds[key])
        beyond = above if key in {"gt", "lte"} else at_least
        parts.append(beyond(source, bound, whole=whole))
        if key in {"lte", "lt"}:
            parts[-1] = Not(parts[-1])
    if not parts:
        return at_least(source, Fraction(1), whole=True) if whole else above(source, Fraction(0), whole=False)
    return All(tuple(parts))
