"""The signals of a router config as formulas: by what they measure and compare, not by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from vsr_compiler.equivalence.bodies import Body, canonical, dict_of, rules_of, texts
from vsr_compiler.equivalence.fields import CONDITION, NAMED, PROSE, others, understood
from vsr_compiler.equivalence.formula import (
    FALSE,
    All,
    Formula,
    Is,
    IsOne,
    Key,
    Not,
    Occurs,
    Some,
    Unknown,
    above,
    at_least,
)
from vsr_compiler.equivalence.numbers import number
from vsr_compiler.equivalence.reads import Reads
from vsr_compiler.equivalence.rules import (
    attack,
    bounded,
    context,
    conversation,
    embedding,
    labelled,
    language,
    personal,
    structure,
)
from vsr_schemas.pii import NAMED_TYPES, denied_types

COLLECTIONS: Mapping[str, str] = {
    "domain": "domains",
    "keyword": "keywords",
    "embedding": "embeddings",
    "language": "language",
    "context": "context",
    "structure": "structure",
    "conversation": "conversation",
    "complexity": "complexity",
    "jailbreak": "jailbreak",
    "pii": "pii",
    "authz": "role_bindings",
    "input_modality": "input_modality",
    "fact_check": "fact_check",
    "user_feedback": "user_feedbacks",
    "modality": "modality",
    "preference": "preferences",
    "reask": "reasks",
    "kb": "kb",
    "event": "events",
}
"""Where the rules of a type of leaves are."""
GROUPED = frozenset({"domain", "embedding"})
"""Types of which projections have groups."""
ONE_OF = frozenset({"fact_check", "user_feedback", "modality"})
"""Types whose leaves are the labels of one classification."""
ATTRIBUTES: Mapping[str, str] = {"group": "role"}
"""What our runtime calls the kinds of subjects."""


class Leaves:
    """The leaves of one config."""

    def __init__(self, signals: Body, projections: Body, reads: Reads) -> None:
        """Index the rules by type and name."""
        self._reads = reads
        self._projections = projections
        self._rules = {
            (kind, str(rule.get("name"))): rule
            for kind, collection in COLLECTIONS.items()
            for rule in rules_of(signals.get(collection))
        }
        self._bindings = rules_of(signals.get("role_bindings"))
        self._others = {key: value for key, value in signals.items() if key not in COLLECTIONS.values()}
        self._partitions = rules_of(projections.get("partitions"))
        self._special: Mapping[str, Callable[[str, Body], Formula]] = {
            "domain": self._domain,
            "keyword": self._keyword,
            "embedding": embedding,
            "language": language,
            "context": context,
            "structure": structure,
            "conversation": conversation,
            "jailbreak": self._jailbreak,
            "pii": self._pii,
            "input_modality": lambda _, rule: Is(Unknown(("input_modality", str(rule.get("modality"))))),
        }

    def leaf(self, kind: str, name: str, inside: int = 0) -> Formula:
        """Return the formula of a leaf. One without a rule is never true, as in the engine.

        Args:
            kind: The type of the leaf.
            name: The name of the leaf.
            inside: How many other leaves it is part of.
        """
        if kind in {"authz", "projection", "complexity"}:
            return self._composed(kind, name, inside)
        if kind == "classifier" and name in self._reads.labelled:
            return labelled(self._reads.labelled[name])
        if kind not in COLLECTIONS:
            rules = [rule for value in self._others.values() for rule in rules_of(value) if rule.get("name") == name]
            return Is(Unknown((kind, name, canonical([canonical(rule) for rule in rules]))))
        rule = self._rules.get((kind, name))
        return FALSE if rule is None else self._rule(kind, name, rule)

    def _rule(self, kind: str, name: str, rule: Body) -> Formula:
        """Return the formula of a rule; of one with fields that are not understood, that it is this very rule."""
        if not understood(kind, rule):
            return Is(Unknown((kind, name if kind in NAMED else "", canonical(rule))))
        if kind in GROUPED and (group := self._partition(kind, name)):
            return Is(Unknown((kind, "of a group", canonical(self._member(kind, name)), group)))
        if kind in ONE_OF and not others(rule, PROSE):
            return Is(IsOne((kind,), name))
        if kind in self._special:
            return self._special[kind](name, rule)
        prose = str(rule.get("description", "")) if kind == "preference" else ""
        return Is(Unknown((kind, name if kind in NAMED else "", prose, canonical(rule))))

    def _partition(self, kind: str, name: str) -> str:
        """Return the group of signals of which only one holds that a signal is in, as text; empty if it is in none."""
        for group in self._partitions:
            members = texts(group.get("members"))
            if name in members:
                rest = {key: value for key, value in group.items() if key not in {"members", "default"}}
                listed = sorted(canonical(self._member(kind, member)) for member in members)
                return canonical([canonical(rest), listed, self._member(kind, str(group.get("default")))])
        return ""

    def _member(self, kind: str, name: str) -> list[str]:
        return [name if kind in NAMED else "", canonical(self._rules.get((kind, name), {}))]

    def _composed(self, kind: str, name: str, inside: int) -> Formula:
        """Return the formula of a leaf whose name is not that of a rule."""
        match kind:
            case "authz":
                return self._client(name)
            case "projection":
                return self._projection(name, inside)
            case _:
                return self._complexity(name, inside)

    def named(self, name: str, *, category: bool) -> Formula | None:
        """Return the formula of a signal, or a category, of whatever type; None if there is none."""
        if not category and name in self._reads.labelled:
            return labelled(self._reads.labelled[name])
        kinds = [kind for kind, own in self._rules if own == name and category == (kind == "domain")]
        return self.leaf(kinds[0], name) if len(kinds) == 1 and kinds[0] != "complexity" else None

    def rules(self, node: Body, inside: int = 0, *, negated: bool = False) -> Formula:
        """Return the formula of a tree of conditions. ``negated`` says whether an odd number of NOTs is above it."""
        if rest := others(node, CONDITION):
            known = {key: value for key, value in node.items() if key not in rest}
            return Is(Unknown(("condition", canonical(rest), self.rules(known, inside, negated=negated))))
        if node.get("type") and not node.get("operator"):
            return self.leaf(str(node["type"]).strip().lower(), str(node.get("name")), inside)
        operator = str(node.get("operator") or "AND").upper()
        below = negated != (operator == "NOT")
        parts = tuple(self.rules(part, inside, negated=below) for part in rules_of(node.get("conditions")))
        match operator:
            case "AND":
                return All(parts)
            case "NOT":
                return Not(parts[0]) if len(parts) == 1 else FALSE
            case _:
                return Some(parts)

    def _domain(self, name: str, rule: Body) -> Formula:
        if name == self._reads.fallback:
            others = [other for kind, other in self._rules if kind == "domain" and other != name]
            return Not(Some(tuple(Is(IsOne(("domain",), other)) for other in sorted(others))))
        labels = sorted({name, *texts(rule.get("mmlu_categories"))})
        if self._reads.labels:
            labels = [label for label in labels if label in self._reads.labels]
        return Some(tuple(Is(IsOne(("domain",), label)) for label in labels))

    def _keyword(self, name: str, rule: Body) -> Formula:
        method = str(rule.get("method") or "words").lower()
        if method not in {"words", "regex"} or rule.get("fuzzy_match"):
            return Is(Unknown(("keyword", canonical({**rule, "keywords": sorted(texts(rule.get("keywords")))}))))
        sensitive, pattern = bool(rule.get("case_sensitive")), method == "regex"
        reads = "request" if f"keyword:{name}" in self._reads.whole else "turn"
        words = {text if sensitive or pattern else text.casefold() for text in texts(rule.get("keywords"))}
        parts = tuple(Is(Occurs(word, pattern, sensitive, reads)) for word in sorted(words))
        match rule.get("operator"):
            case "AND":
                return All(parts)
            case "NOR":
                return Not(Some(parts))
            case _:
                return Some(parts)

    def _pii(self, name: str, rule: Body) -> Formula:
        allowed = texts(rule.get("pii_types_allowed"))
        denied = sorted((self._reads.personal - set(allowed)) | (denied_types(allowed) & NAMED_TYPES))
        return personal(
            denied,
            self._threshold("pii", rule),
            detector=self._reads.detectors.get(name, "model"),
            history=bool(rule.get("include_history")),
        )

    def _jailbreak(self, _: str, rule: Body) -> Formula:
        keys = ("jailbreak_patterns", "benign_patterns")
        patterns = {key: sorted(texts(rule.get(key))) for key in keys if rule.get(key)}
        return attack(
            self._threshold("jailbreak", rule),
            history=bool(rule.get("include_history")),
            method=str(rule.get("method") or "classifier"),
            rest=canonical(patterns),
        )

    def _threshold(self, kind: str, rule: Body) -> Fraction:
        if rule.get("threshold") is None:
            return self._reads.thresholds.get(kind, Fraction(0))
        return number(rule["threshold"])

    def _client(self, name: str) -> Formula:
        tests = list(self._reads.clients.get(name, ()))
        bindings = [item for item in self._bindings if name in {item.get("role"), item.get("name")}]
        for binding in bindings:
            subjects = rules_of(binding.get("subjects"))
            tests += [
                (ATTRIBUTES.get(kind := str(subject.get("kind")).lower(), kind), str(subject.get("name")))
                for subject in subjects
            ]
            if rest := others(binding, frozenset({"name", "role", "description", "subjects"})):
                tests.append(("binding", canonical([canonical(rest), subjects])))
        return Some(tuple(Is(Unknown(("client", *test))) for test in sorted(set(tests))))

    def _complexity(self, name: str, inside: int) -> Formula:
        base, _, level = name.rpartition(":")
        rule = self._rules.get(("complexity", base))
        if rule is None or inside > MAX_INSIDE:
            return FALSE
        sides = tuple(tuple(sorted(set(texts(dict_of(rule.get(side)).get("candidates"))))) for side in ("hard", "easy"))
        rest = {key: value for key, value in rule.items() if key not in {"hard", "easy", "threshold", "composer"}}
        for side in ("hard", "easy"):
            if more := others(rule.get(side), frozenset({"candidates"})):
                rest[side] = more
        source: Key = ("complexity", *sides, canonical(rest))
        threshold = number(rule.get("threshold", 0.1))
        hard, easy = above(source, threshold, whole=False), Not(at_least(source, -threshold, whole=False))
        levels = {"hard": hard, "easy": easy, "medium": Not(Some((hard, easy)))}
        composer = rule.get("composer")
        parts = [levels.get(level, FALSE)]
        if composer:
            parts.append(self.rules(dict_of(composer), inside + 1))
        return All(tuple(parts))

    def _projection(self, name: str, inside: int) -> Formula:
        for mapping in rules_of(self._projections.get("mappings")):
            outputs = rules_of(mapping.get("outputs"))
            names = [str(output.get("name")) for output in outputs]
            if name not in names or inside > MAX_INSIDE:
                continue
            rest = others(mapping, frozenset({"name", "description", "source", "method", "outputs"}))
            score = (*self._score(str(mapping.get("source")), inside), canonical(rest))
            bands = [self._band(score, output) for output in outputs[: names.index(name) + 1]]
            before = [] if mapping.get("method") == "multi_emit" else [Not(band) for band in bands[:-1]]
            return All((bands[-1], *before))
        return FALSE

    def _band(self, score: Key, output: Body) -> Formula:
        if rest := others(output, frozenset({"name", "description", "gt", "gte", "lt", "lte"})):
            return Is(Unknown(("band", score, canonical(rest), canonical(output))))
        return bounded(score, output, whole=False)

    def _score(self, name: str, inside: int) -> Key:
        score = next((item for item in rules_of(self._projections.get("scores")) if item.get("name") == name), {})
        inputs = []
        for item in rules_of(score.get("inputs")):
            kind = str(item.get("type"))
            means: object = canonical(item)
            if kind == "projection" and item.get("value_source") != "confidence":
                means = self._score(str(item.get("name")), inside + 1) if inside <= MAX_INSIDE else ()
            elif item.get("name"):
                means = self.leaf(kind, str(item["name"]), inside + 1)
            inputs.append((repr(means), canonical({key: item[key] for key in item if key not in {"type", "name"}})))
        rest = others(score, frozenset({"name", "description", "method", "inputs"}))
        return ("score", str(score.get("method")), tuple(sorted(inputs)), canonical(rest))


MAX_INSIDE = 8
"""Leaves inside leaves: inputs of scores, and conditions of complexity rules."""
