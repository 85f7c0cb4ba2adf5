"""Builds a program from the config and says by name what does not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runtime.errors import UserError
from runtime.program.program import Program, Route
from runtime.program.rules import compile_rule
from schemas.routerconfig import v0_4_0 as contract

_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")


def build(config: contract.RouterConfig, labels: frozenset[str], fallback: str | None = None) -> Program:
    """Compile a config.

    Args:
        config: the router's config, valid by its contract.
        labels: the categories that the loaded classifiers can answer; empty without a classifier.
        fallback: the category of what is like none of them, if there is one.

    Raises:
        UserError: a name is unknown, doubled or unusable, or the config asks for what is not executed.
    """
    models = _models(config)
    auto_names = _auto_names(config.global_.router.auto_model_names, models)
    _known("providers.defaults.model", config.providers.defaults.model, models)
    domains = _domains(config.routing.signals.domains, labels | {fallback} if fallback else labels)
    _unique("routing.decisions", [decision.name for decision in config.routing.decisions])
    decisions = sorted(
        enumerate(config.routing.decisions), key=lambda numbered: (-numbered[1].priority, numbered[1].name)
    )
    routes = tuple(_route(f"routing.decisions[{i}]", decision, models, domains) for i, decision in decisions)
    return Program(models, auto_names, routes, config.providers.defaults.model, fallback)


def _models(config: contract.RouterConfig) -> tuple[str, ...]:
    names = tuple(model.name for model in config.providers.models)
    _unique("providers.models", names)
    for i, model in enumerate(config.providers.models):
        _header_safe(f"providers.models[{i}].name", model.name)
        if model.provider_model_id not in (None, model.name):
            raise _refuse(f"providers.models[{i}].provider_model_id", "renaming a model is not executed yet; remove it")
    cards = [card.name for card in config.routing.modelCards]
    _unique("routing.modelCards", cards)
    for i, card in enumerate(cards):
        _known(f"routing.modelCards[{i}].name", card, names)
    return names


def _auto_names(names: list[str], models: tuple[str, ...]) -> tuple[str, ...]:
    place = "global.router.auto_model_names"
    _unique(place, names)
    for name in names:
        _header_safe(place, name)
        if name in models:
            raise _refuse(place, f"{name!r} is also a model; a name is either chosen by the router or served")
    return tuple(names)


def _domains(domains: list[contract.Domain], known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The labels behind each domain signal: those it lists, else its own name."""
    _unique("routing.signals.domains", [domain.name for domain in domains])
    labels = {domain.name: frozenset(domain.mmlu_categories or [domain.name]) for domain in domains}
    for i, domain in enumerate(domains):
        if missing := sorted(labels[domain.name] - known):
            listed = ", ".join(repr(label) for label in missing)
            raise _refuse(
                f"routing.signals.domains[{i}]",
                f"domain {domain.name!r} asks for {listed}, which no classifier in runtime.yaml knows",
            )
    return labels


def _route(
    place: str,
    decision: contract.Decision,
    models: tuple[str, ...],
    domains: dict[str, frozenset[str]],
) -> Route:
    if len(decision.modelRefs) != 1:
        raise _refuse(f"{place}.modelRefs", "exactly one model is executed; give one")
    reference = decision.modelRefs[0]
    _known(f"{place}.modelRefs[0].model", reference.model, models)
    if reference.use_reasoning:
        raise _refuse(f"{place}.modelRefs[0].use_reasoning", "reasoning is not executed yet; set it to false")

    def domain(name: str) -> frozenset[str]:
        if name not in domains:
            raise _refuse(f"{place}.rules", f"domain {name!r} is not defined under routing.signals.domains")
        return domains[name]

    def arity() -> UserError:
        return _refuse(f"{place}.rules", "NOT takes exactly one condition")

    return Route(decision.name, compile_rule(decision.rules, domain, arity), reference.model)


def _header_safe(place: str, name: str) -> None:
    """A model's name travels in a header: printable ASCII, no blank at either end, at most 256 characters."""
    if not _HEADER_VALUE.fullmatch(name):
        raise _refuse(place, f"{name[:80]!r} cannot stand in a header; use printable ASCII without blanks at the ends")


def _known(place: str, model: str, models: tuple[str, ...]) -> None:
    if model not in models:
        raise _refuse(place, f"model {model!r} is not defined under providers.models")


def _unique(place: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _refuse(place, f"{name!r} stands there twice")
        seen.add(name)


def _refuse(place: str, reason: str) -> UserError:
    return UserError(f"config.yaml: {place}: {reason}")
