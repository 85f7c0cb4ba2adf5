"""One of the two configs that are compared: its decisions by rank, its guards, and what clients can name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from vsr_compiler.equivalence.bodies import canonical, dict_of, rules_of, texts
from vsr_compiler.equivalence.declared import Declared
from vsr_compiler.equivalence.declared_leaves import DETECTED, DeclaredLeaves
from vsr_compiler.equivalence.fields import ROUTING, others
from vsr_compiler.equivalence.formula import TRUE, Formula, Is, Occurs, Some, Unknown, above
from vsr_compiler.equivalence.leaves import Leaves
from vsr_compiler.equivalence.numbers import number
from vsr_compiler.equivalence.outcome import Answered, Asked, Fate, outcome_of
from vsr_compiler.equivalence.reads import engine_reads
from vsr_compiler.equivalence.rules import TOKENS, attack, personal
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES

MAX_DECISIONS, MAX_CONDITIONS, MAX_DEPTH = 2_000, 50_000, 64
AUTO_NAMES = ("vllm-sr/auto", "auto", "MoM")
"""The auto-model names of the stock router if its config has none; source: ``pkg/config/helper.go``."""
OLDER_AUTO = "auto"


FIRST = -10_000_000_000


class IncomparableError(Exception):
    """The config has something that cannot be compared."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A condition and what follows. Of decisions with equal ``rank``, the lowest, confidence decides."""

    name: str
    rank: tuple[int, ...]
    rules: Formula
    fate: Fate
    models: frozenset[str]
    too_long: Formula | None


@dataclass(frozen=True, slots=True)
class Guard:
    """A check of every request. ``action`` is ``block``, ``mask`` or ``route``."""

    name: str
    finds: Formula
    too_long: Formula
    action: str
    model: str
    settings: str
    exempt: frozenset[str]


@dataclass(frozen=True, slots=True)
class Side:
    """A config.

    Attributes:
        decisions: The decisions, in no order.
        default: The default model.
        models: The models that clients can name.
        auto: The names by which clients let the router choose.
        guards: Guards of requests.
        on_responses: Guards of responses, as text.
        leaves: Its leaves.
        others: What else its routing has, as a name and its value.
    """

    decisions: tuple[Decision, ...]
    default: str
    models: frozenset[str]
    auto: frozenset[str]
    guards: tuple[Guard, ...] = ()
    on_responses: frozenset[str] = frozenset()
    leaves: Leaves | None = field(default=None, compare=False)
    others: frozenset[str] = frozenset()


def read_side(
    config: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    *,
    declared: Declared | None = None,
    counterpart: Side | None = None,
) -> Side:
    """Read a router config.

    Args:
        config: A config of the stock router, of the contracts 0.3 and 0.4.
        settings: The settings of our runtime, if it executes the config.
        declared: Differences that an import has declared, if it is the source.
        counterpart: The policy, for signals that are declared to be the same.

    Raises:
        IncomparableError: It is too large, or has parts that are not compared.
    """
    declared = declared or Declared()
    routing, providers = dict_of(config.get("routing")), dict_of(config.get("providers"))
    for key in ("recipes", "entrypoints"):
        if config.get(key) or routing.get(key):
            raise IncomparableError(f"it has `{key}`, which are several policies in one")
    decisions = rules_of(routing.get("decisions"))
    if len(decisions) > MAX_DECISIONS:
        raise IncomparableError(f"it has {len(decisions)} decisions, and at most {MAX_DECISIONS} are compared")
    _check_size(decisions)
    leaves = DeclaredLeaves(
        dict_of(routing.get("signals")),
        dict_of(routing.get("projections")),
        engine_reads(settings, dict_of(config.get("global"))),
        declared,
        None if counterpart is None else counterpart.leaves,
    )
    cards = rules_of(routing.get("modelCards"))
    router = {**dict_of(routing), **dict_of(dict_of(config.get("global")).get("router"))}
    defaults = dict_of(providers.get("defaults"))
    default = str(defaults.get("model") or defaults.get("default_model") or "")
    default = declared.names.get(default, default)
    effort = str(defaults.get("reasoning_effort") or defaults.get("default_reasoning_effort") or "")
    asked = Asked(
        default,
        effort,
        _always_reasoning(providers, cards),
        declared.names,
        declared.lost,
        declared.models,
        _facts(providers, cards),
    )
    shares = dict_of(dict_of(settings).get("splits"))
    windows = _windows(cards) if settings is not None and dict_of(settings).get("overflow") != "reject" else {}
    tiers = any(number(decision.get("tier")) > 0 for decision in decisions)
    confidence = router.get("strategy") == "confidence"
    read = tuple(
        _decision(decision, leaves, asked, shares, windows, confidence=confidence, tiers=tiers)
        for decision in decisions
    )
    read = (*_first(read, decisions, leaves, declared), *read)
    guards, on_responses = _guards(dict_of(dict_of(settings).get("guards")))
    models = frozenset(declared.names.get(name, name) for name in _names(providers, cards))
    catalog = dict_of(config.get("global")).get("model_catalog")
    rest = {f"routing.{key}": value for key, value in others(routing, ROUTING).items()}
    rest |= {"global.model_catalog": catalog} if catalog else {}
    more = frozenset(
        f"{key} {canonical(value)}" for key, value in rest.items() if key.rpartition(".")[2] not in declared.routing
    )
    return Side(read, default, models, _auto_names(router), guards, on_responses, leaves, more)


def _first(
    read: tuple[Decision, ...], decisions: list[dict[str, Any]], leaves: Leaves, declared: Declared
) -> Iterator[Decision]:
    """Yield what decisions that became guards detect, as decisions before all others."""
    pairs = sorted(zip(read, decisions, strict=True), key=lambda pair: pair[0].rank)
    for index, (decision, body) in enumerate(pairs):
        if decision.name not in declared.blocked or not isinstance(decision.fate.outcome, Answered):
            continue
        stack, found = [dict_of(body.get("rules"))], []
        while stack:
            node = stack.pop()
            if str(node.get("type")).strip().lower() in DETECTED and not node.get("operator"):
                found.append(leaves.leaf(str(node["type"]).strip().lower(), str(node.get("name"))))
            stack += rules_of(node.get("conditions"))
        yield replace(decision, rank=(FIRST, index), rules=Some(tuple(found)))


def _check_size(decisions: list[dict[str, Any]]) -> None:
    left = MAX_CONDITIONS
    stack: list[tuple[Any, int]] = [(decision.get("rules"), 0) for decision in decisions]
    while stack:
        node, depth = stack.pop()
        left -= 1
        if left < 0 or depth > MAX_DEPTH:
            raise IncomparableError("its conditions are too many, or too deep, to be compared")
        stack += [(part, depth + 1) for part in rules_of(dict_of(node).get("conditions"))]


def _decision(
    decision: dict[str, Any],
    leaves: Leaves,
    asked: Asked,
    shares: Mapping[str, Any],
    windows: Mapping[str, int],
    *,
    confidence: bool,
    tiers: bool,
) -> Decision:
    name, rules = str(decision.get("name")), dict_of(decision.get("rules"))
    outcome = outcome_of(decision, asked, shares.get(name))
    models = frozenset(target.model for target in getattr(outcome, "targets", ()))
    priority = int(number(decision.get("priority")))
    always = not rules.get("type") and not rules_of(rules.get("conditions"))
    if tiers:
        rank: tuple[int, ...] = (int(number(decision.get("tier"))), always)
    elif confidence:
        rank = (always,)
    else:
        rank = (-priority,)
    known = [windows.get(model) for model in models]
    longest = max((size for size in known if size is not None), default=0)
    too_long = above(TOKENS, number(longest), whole=True) if longest and None not in known else None
    formula = leaves.rules(rules) if rules else TRUE
    return Decision(name, rank, formula, Fate(outcome, name), models, too_long)


def _windows(cards: list[dict[str, Any]]) -> dict[str, int]:
    """Return the context of models and their adapters, in tokens."""
    windows: dict[str, int] = {}
    for card in cards:
        size = int(number(card.get("context_window_size")))
        if size > 0:
            windows[str(card.get("name"))] = size
            windows |= {str(lora.get("name")): size for lora in rules_of(card.get("loras"))}
    return windows


def _facts(providers: Mapping[str, Any], cards: list[dict[str, Any]]) -> dict[str, tuple[Fraction, Fraction]]:
    """Return price and quality of each model; 0 if they are not stated."""
    qualities = {str(card.get("name")): number(card.get("quality_score")) for card in cards}
    return {
        name: (number(dict_of(model.get("pricing")).get("prompt_per_1m")), qualities.get(name, Fraction(0)))
        for model in rules_of(providers.get("models"))
        if (name := str(model.get("name")))
    }


def _names(providers: Mapping[str, Any], cards: list[dict[str, Any]]) -> frozenset[str]:
    names = {str(model.get("name")) for model in rules_of(providers.get("models"))}
    return frozenset(names | {str(lora.get("name")) for card in cards for lora in rules_of(card.get("loras"))})


def _always_reasoning(providers: Mapping[str, Any], cards: list[dict[str, Any]]) -> frozenset[str]:
    """Return the models, and their adapters, whose family cannot switch reasoning off."""
    found = set()
    for model in rules_of(providers.get("models")):
        family = dict_of(model.get("reasoning")).get("family") or model.get("reasoning_family")
        if (known := FAMILIES.get(str(family))) is not None and "disabled" not in known.modes:
            found.add(str(model.get("name")))
    adapters = {
        str(lora.get("name")) for card in cards if card.get("name") in found for lora in rules_of(card.get("loras"))
    }
    return frozenset(found | adapters)


def _auto_names(router: Mapping[str, Any]) -> frozenset[str]:
    if router.get("auto_model_names") is not None:
        return frozenset(texts(router["auto_model_names"]))
    if router.get("auto_model_name"):
        return frozenset({OLDER_AUTO, str(router["auto_model_name"])})
    return frozenset(AUTO_NAMES)


def _guards(guards: Mapping[str, Any]) -> tuple[tuple[Guard, ...], frozenset[str]]:
    read: list[Guard] = []
    on_responses: set[str] = set()
    for name, guard in sorted(guards.items()):
        finds, body = _finds(guard), {key: value for key, value in guard.items() if key != "on"}
        if guard["on"] in {"response", "both"} or guard.get("unmask"):
            on_responses.add(f"{finds!r} {sorted(body.items())!r}")
        if guard["on"] != "response" and guard["action"] != "flag":
            too_long = above(TOKENS, number(guard["maxTokens"]), whole=True)
            exempt, model = frozenset(texts(guard.get("exempt"))), str(guard.get("model") or "")
            masked = f"{sorted(guard.get('types') or ())!r} {guard.get('unmask')!r}"
            read.append(Guard(name, finds, too_long, guard["action"], model, masked, exempt))
    return tuple(read), frozenset(on_responses)


def _finds(guard: Mapping[str, Any]) -> Formula:
    parts: list[Formula] = []
    threshold = number(guard["threshold"])
    if guard.get("types"):
        detector = "model" if guard.get("detector") else "patterns"
        parts.append(personal(texts(guard["types"]), threshold, detector=detector, history=True))
    elif guard.get("detector"):
        parts.append(attack(threshold, history=True))
    parts += [Is(Occurs(pattern, True, True, "request")) for pattern in texts(guard.get("patterns"))]  # noqa: FBT003
    parts += [Is(Unknown(("builtin", name))) for name in texts(guard.get("builtin"))]
    return Some(tuple(parts))
