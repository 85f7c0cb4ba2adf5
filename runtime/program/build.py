"""Builds a program from the config and says by name what does not fit together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from runtime.program.build_guards import guards as build_guards
from runtime.program.build_models import auto_names, models
from runtime.program.build_plugins import effects
from runtime.program.build_signals import asking, domains, signals
from runtime.program.build_targets import targets
from runtime.program.effects import Outside, Target
from runtime.program.program import Program, Route
from runtime.program.refuse import refuse, unique
from runtime.program.rules import Category, Has, Leaf, Rule, SignalName, compile_rule
from schemas.routerconfig import v0_4_0 as contract
from schemas.runtime import Guard

Splits = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What signals may ask of models: sentences that have a vector, and the detector of each jailbreak signal."""

    sentences: frozenset[str] = frozenset()
    attacks: Mapping[str, str] = field(default_factory=dict)


def build(
    config: contract.RouterConfig,
    labels: frozenset[str],
    fallback: str | None = None,
    splits: Splits | None = None,
    outside: Mapping[str, Outside] | None = None,
    guards: Mapping[str, Guard] | None = None,
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
    cheap = signals(config.routing.signals)
    models_asked = asked or Asked()
    hard = asking(config.routing.signals, models_asked.sentences, _present(models_asked.attacks, config, detectors))
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
    return Program(served, names, routes, default, fallback, cheap, made, hard)


def _present(
    attacks: Mapping[str, str], config: contract.RouterConfig, detectors: Collection[str]
) -> Mapping[str, str]:
    """The detectors of jailbreak signals, which must be there, both of them."""
    names = {rule.name for rule in config.routing.signals.jailbreak or ()}
    for signal, detector in attacks.items():
        place = f"detectors.jailbreak.{signal}"
        if signal not in names:
            raise refuse(place, "config.yaml has no jailbreak signal of this name", "runtime.yaml")
        if detector not in detectors:
            raise refuse(place, f"no detector {detector!r} is loaded", "runtime.yaml")
    return attacks


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
    def leaf(node: contract.Leaf) -> Leaf:
        name = (node.type, node.name)
        if node.type == "domain" and node.name in known:
            return Category(known[node.name], node.name)
        if name not in defined:
            raise refuse(f"{place}.rules", f"{node.type} {node.name!r} is not defined under routing.signals")
        return Has(name)

    return compile_rule(decision.rules, leaf, lambda: refuse(f"{place}.rules", "NOT takes exactly one condition"))
