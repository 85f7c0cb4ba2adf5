"""Builds the decision program from the router config and the runtime settings, and checks that they are consistent."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vsr_runtime.decision.program.build_conditions import build_conditions
from vsr_runtime.decision.program.build_effects import build_effects
from vsr_runtime.decision.program.build_guards import build_guards
from vsr_runtime.decision.program.build_order import check_ranks, chosen_ref, standing_of
from vsr_runtime.decision.program.build_partitions import with_partitions
from vsr_runtime.decision.program.build_providers import provider_type
from vsr_runtime.decision.program.build_reasoning import read_reasoning
from vsr_runtime.decision.program.build_selection import read_selection
from vsr_runtime.decision.program.build_sentences import with_scoring
from vsr_runtime.decision.program.build_signals import (
    build_model_signals,
    build_signals,
    category_labels,
    check_personal_data,
)
from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.program.effects import ModelTarget, ProviderCredentials
from vsr_runtime.decision.program.ordering import sort_key
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import TOTAL_SHARE, PolicyRoute
from vsr_runtime.decision.selection.observations import Wanted
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.model_signals import BEST, ModelSignal, Scoring
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.runtime import GuardSettings

Splits = Mapping[str, Mapping[str, int]]
_MODEL_NAME = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")


@dataclass(frozen=True, slots=True)
class ModelBindings:
    """Models that signals may use, and signals that depend on neither text nor models.

    Attributes:
        sentences: sentences that have a vector.
        jailbreak: detector by jailbreak signal.
        pii: detector by PII signal.
        labels: signals about the label that a classifier gives.
        clients: signals about who sends a request.
        scoring: how similar a text is to several sentences.
    """

    sentences: frozenset[str] = frozenset()
    jailbreak: Mapping[str, str] = field(default_factory=dict)
    pii: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[SignalName, ModelSignal] = field(default_factory=dict)
    clients: Mapping[SignalName, Signal] = field(default_factory=dict)
    scoring: Scoring = BEST


def build(
    config: contract.RouterConfig,
    labels: frozenset[str],
    fallback: str | None = None,
    splits: Splits | None = None,
    credentials: Mapping[str, ProviderCredentials] | None = None,
    guards: Mapping[str, GuardSettings] | None = None,
    detectors: Collection[str] = (),
    bindings: ModelBindings | None = None,
) -> Program:
    """Compile a config.

    Args:
        config: the router config, valid by its contract.
        labels: the categories that the loaded classifiers recognise; empty without a classifier.
        fallback: the category of requests without a recognised category, if there is one.
        splits: shares in per cent from the settings, by decision and model.
        credentials: credentials for external providers, by model.
        guards: the guards of the settings, by name.
        detectors: the classifiers that guards and signals may use.
        bindings: the models that signals may use, and signals about clients.

    Raises:
        UserError: a name is unknown, duplicated or unusable, or the config requires an unsupported feature.
    """
    served = _with_credentials(_read_models(config), credentials or {})
    names = _read_auto_names(config.global_.router.auto_model_names)
    default = config.providers.defaults.model
    if default not in served:
        raise config_error("providers.defaults.model", f"model {default!r} is not defined under providers.models")
    labels_by_domain = category_labels(config.routing.signals.domains, labels | {fallback} if fallback else labels)
    signals, bindings = config.routing.signals, bindings or ModelBindings()
    _check_bindings("jailbreak", bindings.jailbreak, [rule.name for rule in signals.jailbreak or ()], detectors)
    _check_bindings("pii", bindings.pii, [rule.name for rule in signals.pii or ()], detectors)
    check_personal_data(signals.pii or (), bindings.pii)
    heuristic_signals = {**build_signals(signals, bindings.pii), **bindings.clients}
    model_signals = build_model_signals(signals, bindings.sentences, bindings.jailbreak, bindings.pii)
    model_signals = {**model_signals, **bindings.labels}
    if bindings.scoring != BEST:
        model_signals = with_scoring(model_signals, bindings.scoring)
    model_signals = with_partitions(model_signals, config.routing.projections, labels_by_domain)
    conditions = build_conditions(config.routing, labels_by_domain, {*heuristic_signals, *model_signals})
    decisions = config.routing.decisions
    check_unique("routing.decisions", [decision.name for decision in decisions])
    if unknown := sorted((splits or {}).keys() - {decision.name for decision in decisions}):
        raise config_error(f"splits.{unknown[0]}", "config.yaml has no decision of this name", "runtime.yaml")
    order = sorted(enumerate(decisions), key=lambda numbered: sort_key(numbered[1].name, standing_of(numbered[1])))
    routes = tuple(
        PolicyRoute(
            decision.name,
            conditions.compile(f"{(place := f'routing.decisions[{i}]')}.rules", decision.rules),
            _read_targets(place, decision, config, served, (splits or {}).get(decision.name)),
            build_effects(place, decision),
            standing=standing_of(decision),
            selection=read_selection(place, decision, config, (splits or {}).get(decision.name)),
        )
        for i, decision in order
    )
    built_guards = build_guards(guards or {}, served, detectors)
    caches = any(route.effects.cache is not None for route in routes)
    program = Program(served, names, routes, default, fallback, heuristic_signals, built_guards, model_signals, caches)
    strategy = config.routing.strategy or "priority"
    program = replace(program, measured=conditions.projections.measured, strategy=strategy)
    wanted = Wanted.union(route.selection.wanted for route in routes if route.selection)
    program = program if wanted is None else replace(program, wanted=wanted)
    check_ranks(program)
    return replace(program, default_target=_default_target(config, served))


def _default_target(config: contract.RouterConfig, served: Mapping[str, ModelTarget]) -> ModelTarget:
    """Return the default model as a route without settings would request it."""
    default = config.providers.defaults.model
    adapters = {lora.name: card.name for card in config.routing.modelCards for lora in card.loras or ()}
    base = adapters.get(default, default)
    ref = contract.ModelRef(model=base, lora_name=None if base == default else default, use_reasoning=False)
    return read_target("providers.defaults.model", ref, config, served)


def _check_bindings(
    kind: str, bindings: Mapping[str, str], signals: Collection[str], detectors: Collection[str]
) -> None:
    """Check that the signals that use detectors exist, and that the detectors are loaded."""
    for signal, detector in bindings.items():
        place = f"detectors.{kind}.{signal}"
        if signal not in signals:
            raise config_error(place, f"config.yaml has no {kind} signal of this name", "runtime.yaml")
        if detector not in detectors:
            raise config_error(place, f"no detector {detector!r} is loaded", "runtime.yaml")


def _with_credentials(
    served: Mapping[str, ModelTarget], credentials: Mapping[str, ProviderCredentials]
) -> dict[str, ModelTarget]:
    if unknown := sorted(credentials.keys() - served.keys()):
        raise config_error(f"credentials.{unknown[0]}", "config.yaml has no model of this name", "runtime.yaml")
    return {name: replace(target, credentials=credentials.get(name)) for name, target in served.items()}


def _read_models(config: contract.RouterConfig) -> dict[str, ModelTarget]:
    """Return the target of each name that a client may request: models, then their adapters.

    Raises:
        UserError: a name is duplicated, unknown, or not valid in a header.
    """
    configured = config.providers.models
    bases = [model.name for model in configured]
    check_unique("providers.models", bases)
    for i, model in enumerate(configured):
        _check_header_safe(f"providers.models[{i}].name", model.name)
        if model.provider_model_id == "":
            raise config_error(f"providers.models[{i}].provider_model_id", "is empty; remove it")
    cards = config.routing.modelCards
    check_unique("routing.modelCards", [card.name for card in cards])
    adapters: list[str] = []
    for i, card in enumerate(cards):
        if card.name not in bases:
            raise config_error(
                f"routing.modelCards[{i}].name", f"model {card.name!r} is not defined under providers.models"
            )
        for lora in card.loras or ():
            _check_header_safe(f"routing.modelCards[{i}].loras", lora.name)
            adapters.append(lora.name)
    check_unique("routing.modelCards", [*bases, *adapters])
    contexts = {card.name: card.context_window_size for card in cards}
    contexts |= {lora.name: card.context_window_size for card in cards for lora in card.loras or ()}
    served = {model.name: _served_as(model) for model in configured}
    served |= {name: name for name in adapters}  # the name with which it was loaded
    return {name: ModelTarget(name, own, context=contexts.get(name)) for name, own in served.items()}


def _served_as(model: contract.ProviderModel) -> str:
    """Return the name of a model at its provider."""
    if model.external_model_ids:
        return model.external_model_ids.get(provider_type(model)) or model.name
    return model.provider_model_id or model.name


def _read_auto_names(names: list[str]) -> tuple[str, ...]:
    """Return the names by which a client lets the router choose. One may also be a model, which it then hides.

    Raises:
        UserError: a name is duplicated, or not valid in a header.
    """
    place = "global.router.auto_model_names"
    check_unique(place, names)
    for name in names:
        _check_header_safe(place, name)
    return tuple(names)


def _check_header_safe(place: str, name: str) -> None:
    """Check that a model name can be sent in a header: printable ASCII, at most 256 characters, no blank at either end.

    Raises:
        UserError: it cannot.
    """
    if not _MODEL_NAME.fullmatch(name):
        raise config_error(
            place, f"{name[:80]!r} cannot be sent in a header; use printable ASCII without blanks at the ends"
        )


def _read_targets(
    place: str,
    decision: contract.Decision,
    config: contract.RouterConfig,
    served: Mapping[str, ModelTarget],
    split: Mapping[str, int] | None,
) -> tuple[tuple[ModelTarget, int], ...]:
    """Return the decision's models and their shares in per cent.

    Raises:
        UserError: a model, an adapter or an effort is unknown, or the shares do not match the models.
    """
    refs = decision.modelRefs
    if not refs and not any(plugin.type == "fast_response" for plugin in decision.plugins or ()):
        return ((_default_target(config, served), int(TOTAL_SHARE)),)
    selects = decision.algorithm is not None and decision.algorithm.type != "static"
    if len(refs) > 1 and split is None and not selects:
        refs = [chosen_ref(decision)]
    decision_targets = [read_target(f"{place}.modelRefs[{i}]", ref, config, served) for i, ref in enumerate(refs)]
    names = [target.name for target in decision_targets]
    check_unique(f"{place}.modelRefs", names)
    if split is None:
        return _alike(f"{place}.modelRefs", decision_targets)
    _check_shares(f"splits.{decision.name}", split, names)
    return tuple((target, split[target.name]) for target in decision_targets)


def _alike(place: str, targets: Sequence[ModelTarget]) -> tuple[tuple[ModelTarget, int], ...]:
    """Return models that may all be selected: shares are for what draws one of them."""
    total = int(TOTAL_SHARE)
    if len(targets) > total:
        raise config_error(place, f"must be at most {total}, not {len(targets)}")
    shares = [total // max(len(targets), 1)] * len(targets)
    if shares:
        shares[0] += total - sum(shares)
    return tuple(zip(targets, shares, strict=True))


def _check_shares(place: str, split: Mapping[str, int], names: list[str]) -> None:
    if set(split) != set(names):
        raise config_error(place, f"must name the decision's models: {', '.join(names) or 'none'}", "runtime.yaml")
    if any(share < 0 for share in split.values()) or sum(split.values()) != TOTAL_SHARE:
        raise config_error(place, f"the shares must add up to 100, not {sum(split.values())}", "runtime.yaml")


def read_target(
    place: str, ref: contract.ModelRef, config: contract.RouterConfig, served: Mapping[str, ModelTarget]
) -> ModelTarget:
    """Return a model as a decision requests it.

    Raises:
        UserError: the model, the adapter or the effort is unknown.
    """
    model = next((model for model in config.providers.models if model.name == ref.model), None)
    if model is None:
        raise config_error(f"{place}.model", f"model {ref.model!r} is not defined under providers.models")
    card = next((card for card in config.routing.modelCards if card.name == ref.model), None)
    adapters = [lora.name for lora in (card.loras if card else None) or ()]
    if ref.lora_name is not None and ref.lora_name not in adapters:
        raise config_error(
            f"{place}.lora_name", f"{ref.lora_name!r} is not an adapter of {ref.model!r} under routing.modelCards"
        )
    return replace(
        served[ref.lora_name or ref.model], reasoning=read_reasoning(place, ref, model, config.providers.defaults)
    )
