"""Builds a program from the config and says by name what does not fit together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from vsr_runtime.decision.program.build_guards import guards as build_guards
from vsr_runtime.decision.program.build_models import auto_names, models
from vsr_runtime.decision.program.build_plugins import effects
from vsr_runtime.decision.program.build_signals import DETECTED, asking, domains, signals
from vsr_runtime.decision.program.build_targets import targets
from vsr_runtime.decision.program.effects import Outside, Target
from vsr_runtime.decision.program.program import Program, Route
from vsr_runtime.decision.program.refuse import refuse, unique
from vsr_runtime.decision.program.rules import AnyOf, Category, Has, Rule, SignalName, compile_rule
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.runtime import GuardSettings

Splits = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What signals may ask of models: sentences that have a vector, and detectors by the signals that ask them."""

    sentences: frozenset[str] = frozenset()
    attacks: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)


def build(
    config: contract.RouterConfig,
    labels: frozenset[str],
    fallback: str | None = None,
    splits: Splits | None = None,
    outside: Mapping[str, Outside] | None = None,
    guards: Mapping[str, GuardSettings] | None = None,
    detectors: Collection[str] = (),
    asked: Asked | None = None,
) -> Program:
    """Compile a config.

    Args:
        config: the router's config, valid by its contract.
        labels: the categories that the loaded classifiers can answer; empty without a classifier.
        fallback: the category of what is like none of them, if there is one.
        splits: the settings' shares in per cent, by decision and model.
        outside: what providers outside the cluster are told of who asks, by model.
        guards: the settings' guards by name.
        detectors: the classifiers that guards and signals may ask.
        asked: what signals may ask of models besides.

    Raises:
        UserError: a name is unknown, doubled or unusable, or the config asks for what is not executed.
    """
    served = _placed(models(config), outside or {})
    names = auto_names(config.global_.router.auto_model_names, served)
    default = config.providers.defaults.model
    if default not in served:
        raise refuse("providers.defaults.model", f"model {default!r} is not defined under providers.models")
    known = domains(config.routing.signals.domains, labels | {fallback} if fallback else labels)
    given, models_asked = config.routing.signals, asked or Asked()
    _present("jailbreak", models_asked.attacks, [rule.name for rule in given.jailbreak or ()], detectors)
    _present("pii", models_asked.personal, [rule.name for rule in given.pii or ()], detectors)
    cheap = signals(given, models_asked.personal)
    hard = asking(given, models_asked.sentences, models_asked.attacks, models_asked.personal)
    decisions = config.routing.decisions
    unique("routing.decisions", [decision.name for decision in decisions])
    if unknown := sorted((splits or {}).keys() - {decision.name for decision in decisions}):
        raise refuse(f"splits.{unknown[0]}", "config.yaml has no decision of this name", "runtime.yaml")
    order = sorted(enumerate(decisions), key=lambda numbered: (-numbered[1].priority, numbered[1].name))
    routes = tuple(
        Route(
            decision.name,
            _rule(place := f"routing.decisions[{i}]", decision, known, {*cheap, *hard}),
            targets(place, decision, config, served, (splits or {}).get(decision.name)),
            effects(place, decision),
        )
        for i, decision in order
    )
    made = build_guards(guards or {}, served, detectors)
    keeps = any(route.effects.cache is not None for route in routes)
    return Program(served, names, routes, default, fallback, cheap, made, hard, keeps)


def _present(kind: str, asked: Mapping[str, str], signals: Collection[str], detectors: Collection[str]) -> None:
    """See that signals which ask detectors are there, and the detectors too."""
    for signal, detector in asked.items():
        place = f"detectors.{kind}.{signal}"
        if signal not in signals:
            raise refuse(place, f"config.yaml has no {kind} signal of this name", "runtime.yaml")
        if detector not in detectors:
            raise refuse(place, f"no detector {detector!r} is loaded", "runtime.yaml")


def _placed(served: Mapping[str, Target], outside: Mapping[str, Outside]) -> dict[str, Target]:
    if unknown := sorted(outside.keys() - served.keys()):
        raise refuse(f"credentials.{unknown[0]}", "config.yaml has no model of this name", "runtime.yaml")
    return {name: replace(target, outside=outside.get(name)) for name, target in served.items()}


def _rule(
    place: str,
    decision: contract.Decision,
    known: Mapping[str, frozenset[str]],
    defined: Collection[SignalName],
) -> Rule:
    def leaf(node: contract.RuleLeaf) -> Rule:
        name = (node.type, node.name)
        if node.type == "domain" and node.name in known:
            return Category(known[node.name], node.name)
        if node.type == "pii" and (detected := (DETECTED, node.name)) in defined:
            return AnyOf((Has(name), Has(detected))) if name in defined else Has(detected)
        if name not in defined:
            raise refuse(f"{place}.rules", f"{node.type} {node.name!r} is not defined under routing.signals")
        return Has(name)

    return compile_rule(decision.rules, leaf, lambda: refuse(f"{place}.rules", "NOT takes exactly one condition"))
