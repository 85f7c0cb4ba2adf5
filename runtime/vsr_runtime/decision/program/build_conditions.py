"""Compiles the conditions of a config: which signal, category or band each leaf of a rule stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from vsr_runtime.decision.program.build_facts import NEEDED
from vsr_runtime.decision.program.build_facts import TYPE as FACT_CHECK
from vsr_runtime.decision.program.build_projections import Projections, build_projections
from vsr_runtime.decision.program.build_signals import PII_DETECTOR
from vsr_runtime.decision.program.composed import ComposedCondition
from vsr_runtime.decision.program.conditions import (
    AllConditions,
    AnyCondition,
    CategoryCondition,
    Condition,
    NotCondition,
    SignalCondition,
    SignalName,
    compile_condition,
)
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig import v0_4_0 as contract

_COMPOSABLE = frozenset({"keyword", "embedding", "domain", "language", "context", "structure", "conversation"})
"""Types of signals that a composer of the stock router can ask about."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the leaves of rules stand for.

    Attributes:
        domains: the categories of each domain signal.
        defined: the other signals.
        defaults: the domain signals that hold if none of their group does, with the categories of the group.
        composers: by complexity signal, what else must hold.
        projections: the bands of scores.
        facts: the signals about facts: that they need a check, and that they do not.
    """

    domains: Mapping[str, frozenset[str]]
    defined: Collection[SignalName]
    defaults: Mapping[str, frozenset[str]] = field(default_factory=dict)
    composers: Mapping[str, Condition] = field(default_factory=dict)
    projections: Projections = field(default_factory=lambda: Projections({}, frozenset()))
    facts: frozenset[str] = frozenset()

    def compile(self, place: str, rules: contract.RuleNode | contract.RuleLeaf | None) -> Condition:
        """Compile a rule. A decision without rules always holds.

        Raises:
            UserError: a signal is not defined, or a negation has not exactly one condition.
        """
        if rules is None:
            return AllConditions(())
        return compile_condition(
            rules, self.leaf(place), lambda: config_error(place, "NOT takes exactly one condition")
        )

    def leaf(self, place: str) -> Callable[[contract.RuleLeaf], Condition]:
        """Return a function that compiles a leaf at this place."""
        return lambda node: self._leaf(place, node)

    def _leaf(self, place: str, node: contract.RuleLeaf) -> Condition:
        name = (node.type, node.name)
        if node.type == "domain" and node.name in self.domains:
            return self._domain(node.name)
        if node.type == "pii" and (detected := (PII_DETECTOR, node.name)) in self.defined:
            return (
                AnyCondition((SignalCondition(name), SignalCondition(detected)))
                if name in self.defined
                else SignalCondition(detected)
            )
        if node.type == "fact_check":
            return self._fact_check(place, node.name)
        if node.type == "projection":
            if node.name not in self.projections.bands:
                raise config_error(place, f"no mapping under routing.projections has an output {node.name!r}")
            return self.projections.bands[node.name]
        if name not in self.defined:
            raise config_error(place, f"{node.type} {node.name!r} is not defined under routing.signals")
        composer = self.composers.get(node.name.rpartition(":")[0]) if node.type == "complexity" else None
        return SignalCondition(name) if composer is None else ComposedCondition(SignalCondition(name), composer)

    def _fact_check(self, place: str, name: str) -> Condition:
        needed = SignalCondition((FACT_CHECK, NEEDED))
        if name not in self.facts or needed.name not in self.defined:
            raise config_error(place, f"fact_check {name!r} is not defined under routing.signals")
        return needed if name == NEEDED else NotCondition(needed)

    def _domain(self, name: str) -> Condition:
        own = CategoryCondition(self.domains[name], name)
        if name not in self.defaults:
            return own
        return AnyCondition((own, NotCondition(CategoryCondition(self.defaults[name], name))))


def build_conditions(
    routing: contract.Routing, domains: Mapping[str, frozenset[str]], defined: Collection[SignalName]
) -> Conditions:
    """Return what the leaves of a config's rules stand for.

    Raises:
        UserError: a composer or a projection cannot be executed.
    """
    defaults = _default_domains(routing.projections, domains)
    facts = frozenset(rule.name for rule in routing.signals.fact_check or ())
    plain = Conditions(domains, defined, defaults, facts=facts)
    composers = {
        rule.name: _composer(plain, f"routing.signals.complexity[{i}].composer", rule.composer)
        for i, rule in enumerate(routing.signals.complexity or ())
        if rule.composer is not None
    }
    composed = Conditions(domains, defined, defaults, composers, facts=facts)
    projections = build_projections(routing.projections, composed.leaf("routing.projections"))
    return Conditions(domains, defined, defaults, composers, projections, facts)


def _composer(conditions: Conditions, place: str, rules: contract.RuleNode | contract.RuleLeaf) -> Condition:
    def leaf(node: contract.RuleLeaf) -> Condition:
        if node.type not in _COMPOSABLE:
            raise config_error(place, f"a composer cannot ask about signals of type {node.type}")
        return conditions.leaf(place)(node)

    return compile_condition(rules, leaf, lambda: config_error(place, "NOT takes exactly one condition"))


def _default_domains(
    projections: contract.Projections | None, domains: Mapping[str, frozenset[str]]
) -> Mapping[str, frozenset[str]]:
    """Return the domain signals that hold if none of their group does. One category is never in two signals' groups."""
    defaults = {}
    for partition in (projections and projections.partitions) or ():
        members = [member for member in partition.members if member in domains]
        if len(members) > 1 and partition.default in members:
            defaults[partition.default] = frozenset[str]().union(*(domains[member] for member in members))
    return defaults
