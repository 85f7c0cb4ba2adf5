"""What happens to a request, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from vsr_compiler.equivalence.bodies import Body, canonical, dict_of, rules_of, texts
from vsr_compiler.equivalence.fields import PLUGIN, REFERENCE, others
from vsr_compiler.equivalence.numbers import number


@dataclass(frozen=True, slots=True)
class Target:
    """A model with its share and its reasoning. Without shares the order of the models counts."""

    model: str
    share: Fraction | None
    reasoning: bool
    effort: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """The request goes to a model. ``effects`` are plugins and masks, as a type and its settings."""

    targets: tuple[Target, ...]
    effects: frozenset[tuple[str, str]]
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The router answers with 200 and a message."""

    message: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """A guard refuses the request: with 403, or with 413 if the text is too long for it."""

    guard: str
    status: int


@dataclass(frozen=True, slots=True)
class Fate:
    """An outcome, and the decision that it is of; empty for the default.

    ``means`` is the condition of a decision among others of equal rank, since its form decides between them.
    """

    outcome: Routed | Answered | Blocked
    decision: str = ""
    means: str = ""


_ALIASES = {"semantic-cache": "response_cache"}
_SETS = frozenset({"blocked_params", "allow_tools", "block_tools", "delete"})
_KNOWN = frozenset(
    {"name", "description", "priority", "tier", "rules", "modelRefs", "plugins", "algorithm", "annotations"}
)
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"system_prompt": {"mode": "insert"}}
_STATIC = frozenset({"", "static"})
SELECTING = frozenset({"latency_aware", "multi_factor"})
"""Algorithms that have nothing to do with one model."""
COMPARING = "multi_factor"
"""The algorithm that compares prices and qualities of models."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How the models of decisions are asked.

    Attributes:
        default: The model of decisions without models.
        effort: The effort of reasoning that has none.
        always: Models whose reasoning cannot be switched off.
        names: Names of models by those of the config, if they differ.
        lost: Plugins and fields that are not compared, by decision.
        models: Which of several models is asked, by decision: the first one, or each equally.
        facts: What algorithms that compare models know of each: its price and its quality.
    """

    default: str
    effort: str = ""
    always: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, tuple[Fraction, Fraction]] = field(default_factory=dict)


def outcome_of(decision: Body, asked: Asked, shares: Mapping[str, int] | None) -> Routed | Answered | Blocked:
    """Return the outcome of a decision.

    Args:
        decision: The decision.
        asked: How its models are asked.
        shares: Shares in per cent that the settings of our runtime have for it.
    """
    name = str(decision.get("name"))
    lost = asked.lost.get(name, frozenset())
    effects: set[tuple[str, str]] = set()
    for plugin in rules_of(decision.get("plugins")):
        kind = _ALIASES.get(str(plugin.get("type")), str(plugin.get("type")))
        body = dict_of(plugin.get("configuration"))
        if body.get("enabled") is False or kind in lost:
            continue
        if kind == "fast_response":
            return Answered(str(body.get("message", "")))
        effects.add((kind, _settings(kind, body)))
        if rest := others(plugin, PLUGIN):
            effects.add((kind, canonical(rest)))
    effects |= {(key, canonical(value)) for key, value in decision.items() if key not in _KNOWN | lost and value}
    refs = rules_of(decision.get("modelRefs"))
    algorithm = dict_of(decision.get("algorithm"))
    known = str(algorithm.get("type") or "") in _STATIC and not others(algorithm, frozenset({"type"}))
    choice = asked.models.get(name, "")
    alone = len(refs) == 1 and algorithm.get("type") in SELECTING
    chosen = "" if known or choice or alone else _compared(algorithm, refs, asked)
    if choice:
        refs = list({str(ref.get("lora_name") or ref.get("model")): ref for ref in reversed(refs)}.values())[::-1]
        if choice == "equal":
            share, more = divmod(100, max(len(refs), 1))
            refs = [{**refs[0], **_named(ref), "weight": share + (at < more)} for at, ref in enumerate(refs)]
        else:
            refs = refs[:1]
    targets = tuple(
        replace(
            target,
            model=asked.names.get(target.model, target.model),
            effort=""
            if lost & {"effort", "reasoning"}
            else target.effort or (asked.effort if target.reasoning else ""),
            reasoning=(target.reasoning and "reasoning" not in lost) or target.model in asked.always,
        )
        for target in _targets(refs, shares)
    )
    if all(target.share is not None for target in targets):
        targets = tuple(sorted(targets, key=lambda target: target.model))
    return Routed(targets or default_targets(asked.default), frozenset(effects), chosen)


def _compared(algorithm: Body, refs: list[dict[str, Any]], asked: Asked) -> str:
    """Return an algorithm with what it knows of its models, if it compares them."""
    facts = [asked.facts.get(str(ref.get("model"))) for ref in refs] if algorithm.get("type") == COMPARING else []
    return canonical(algorithm) + "".join(f" {fact[0]}/{fact[1]}" if fact else " -" for fact in facts)


def _named(ref: Body) -> Body:
    return {key: ref.get(key) for key in ("model", "lora_name")}


def default_targets(model: str) -> tuple[Target, ...]:
    """Return the default model, without reasoning."""
    return (Target(model, Fraction(1), reasoning=False, effort=""),)


def _targets(refs: list[dict[str, Any]], shares: Mapping[str, int] | None) -> tuple[Target, ...]:
    names = [str(ref.get("lora_name") or ref.get("model")) for ref in refs]
    weights = [number(shares.get(name) if shares else ref.get("weight")) for name, ref in zip(names, refs, strict=True)]
    total = sum(weights)
    targets: list[Target] = []
    for name, ref, weight in zip(names, refs, weights, strict=True):
        inline = dict_of(ref.get("reasoning"))
        effort = str(ref.get("reasoning_effort") or inline.get("effort") or inline.get("reasoning_effort") or "")
        reasoning = bool(ref.get("use_reasoning") or inline.get("use_reasoning") or inline.get("mode") == "enabled")
        if len(refs) == 1:
            share: Fraction | None = Fraction(1)
        else:
            share = weight / total if total else None
        if share == 0:
            continue
        rest = others(ref, REFERENCE)
        targets.append(Target(name, share, reasoning, effort if reasoning else "", canonical(rest) if rest else ""))
    shared = all(target.share is not None for target in targets)
    return tuple(sorted(targets, key=lambda target: target.model) if shared else targets)


def _settings(kind: str, body: Body) -> str:
    settings: dict[str, Any] = {}
    for key, value in {**_DEFAULTS.get(kind, {}), **body}.items():
        if value is None or value == [] or key == "enabled":
            continue
        if key in _SETS:
            settings[key] = sorted({item.lower() if key == "delete" else item for item in texts(value)})
        elif kind == "header_mutation":
            settings[key] = sorted((str(item.get("name")).lower(), str(item.get("value"))) for item in rules_of(value))
        else:
            settings[key] = value
    return canonical(settings)


def words(fate: Fate) -> str:
    """Return an outcome in words."""
    by = f" by decision `{fate.decision}`" if fate.decision else ""
    match fate.outcome:
        case Answered(message):
            return f"answered with 200 and {shortened(message)}{by}"
        case Blocked(guard, status):
            return f"refused with {status} by guard `{guard}`"
        case Routed(targets, effects, algorithm):
            models = " or ".join(_target(target, alone=len(targets) == 1) for target in targets)
            parts = [f"to {models}"]
            if algorithm:
                parts.append(f"chosen by {shortened(algorithm)}")
            parts += [f"with {kind} {shortened(body)}" for kind, body in sorted(effects)]
            return ", ".join(parts) + (by or " by default")


def _target(target: Target, *, alone: bool) -> str:
    share = "" if alone or target.share is None else f"{float(target.share) * 100:g} % "
    effort = f" with effort {target.effort}" if target.effort else ""
    return f"{share}`{target.model}`" + (f" with reasoning{effort}" if target.reasoning else "")


MAX_SHOWN = 60


def shortened(text: str) -> str:
    """Return the beginning of a text, in quotes."""
    line = " ".join(text.split())
    return f"“{line[:MAX_SHOWN]}…”" if len(line) > MAX_SHOWN else f"“{line}”"
