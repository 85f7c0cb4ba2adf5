"""Small router configs, changes of them, and what they decide for every request of a small world.

The world is an oracle: it evaluates a config request by request, with none of the code that proves anything.
"""

from __future__ import annotations

import copy
import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vsr_schemas.routerconfig.engine_0_4_0 import PII_TYPES

Config = dict[str, Any]
WORDS = ("urgent", "credit card", "card", "refund")
TOKENS = (0, 9, 10, 11, 49, 50, 51)
LABELS = (None, "math", "law", "other")
SCORES = (0.1, 0.5, 0.55, 0.6, 0.65, 0.9)
MODELS = ("small", "large", "other")
USERS, GROUPS = ("ann", "bob"), ("", "ops", "dev", "ops dev")


@dataclass(frozen=True, slots=True)
class Seen:
    """A request, as far as the signals of the world can tell."""

    text: str = ""
    tokens: int = 0
    label: str | None = None
    similarity: float = 0.1
    email: float = 0.1
    card: float = 0.1
    user: str = "bob"
    groups: str = ""


def world(*configs: Config) -> Iterator[Seen]:
    """All requests that the signals of some configs can tell apart: one of each kind."""
    forms = [*(("", word, word.upper()) for word in WORDS), ("", "revund")]
    texts = [" and ".join(filter(None, some)) for some in itertools.product(*forms)]
    factors = (
        (("keyword",), [Seen(text=text) for text in texts]),
        (("context",), [Seen(tokens=size) for size in TOKENS]),
        (("domain",), [Seen(label=label) for label in LABELS]),
        (("embedding",), [Seen(similarity=score) for score in SCORES]),
        (("pii",), [Seen(email=email, card=card) for email, card in itertools.product(SCORES, SCORES)]),
        (("authz",), [Seen(user=user, groups=groups) for user, groups in itertools.product(USERS, GROUPS)]),
    )
    kinds = [_distinct(configs, types, requests) for types, requests in factors]
    for text, size, label, similarity, personal, who in itertools.product(*kinds):
        scores = (similarity.similarity, personal.email, personal.card)
        yield Seen(text.text, size.tokens, label.label, *scores, who.user, who.groups)


def _distinct(configs: tuple[Config, ...], types: tuple[str, ...], requests: list[Seen]) -> list[Seen]:
    """One request for each combination of signals of these types."""
    rules = [
        (kind, rule) for config in configs for kind in types for rule in config["routing"]["signals"][_COLLECTION[kind]]
    ]
    return list({tuple(_TESTS[kind](rule, seen) for kind, rule in rules): seen for seen in requests}.values())


def generated(seed: int) -> Config:
    """A config with distinct priorities."""
    pick = random.Random(seed)  # noqa: S311 - examples
    count = pick.randint(1, 5)
    decisions = [
        {
            "name": f"d{rank}",
            "description": "",
            "priority": 10 * (count - rank),
            "rules": _rules(pick, 2),
            "modelRefs": _refs(pick),
            "plugins": _plugins(pick),
            **_algorithm(pick),
        }
        for rank in range(count)
    ]
    signals: Config = {
        "keywords": [
            {"name": "k0", "operator": "OR", "keywords": pick.sample(WORDS, 2)},
            {"name": "k1", "operator": "AND", "keywords": pick.sample(WORDS, 2)},
            {"name": "k2", "operator": "NOR", "keywords": pick.sample(WORDS, 1)},
            {"name": "k3", "operator": "OR", "keywords": ["re[fv]und"], "method": "regex", "case_sensitive": True},
        ],
        "context": [{"name": "long", "min_tokens": "50"}, {"name": "short", "min_tokens": "0", "max_tokens": "9"}],
        "domains": [{"name": name, "description": "", "mmlu_categories": [name]} for name in ("math", "law", "other")],
        "embeddings": [
            {"name": "e0", "threshold": 0.6, "candidates": ["Pay this.", "Refund me."], "aggregation_method": "max"},
            {"name": "e1", "threshold": 0.5, "candidates": ["Refund me.", "Pay this."], "aggregation_method": "max"},
        ],
        "pii": [{"name": "p0", "threshold": 0.6, "pii_types_allowed": _allowed("EMAIL_ADDRESS", "CREDIT_CARD")}],
    }
    signals["role_bindings"] = [
        {"name": "r0", "role": "r0", "subjects": [{"kind": "User", "name": "ann"}, {"kind": "Group", "name": "ops"}]},
        {"name": "r1", "role": "r1", "subjects": [{"kind": "Group", "name": "dev"}]},
    ]
    return {
        "version": "v0.3",
        "providers": {
            "defaults": {"model": "small"},
            "models": [{"name": name, "backend_refs": [{"name": name, "endpoint": f"{name}:80"}]} for name in MODELS],
        },
        "routing": {"modelCards": [{"name": name} for name in MODELS], "signals": signals, "decisions": decisions},
        "global": {"router": {"auto_model_names": ["auto"]}},
    }


_LEAVES = (
    *(("keyword", f"k{n}") for n in range(4)),
    ("context", "long"),
    ("context", "short"),
    ("domain", "math"),
    ("domain", "law"),
    ("embedding", "e0"),
    ("embedding", "e1"),
    ("pii", "p0"),
    ("authz", "r0"),
    ("authz", "r1"),
)


def _allowed(*denied: str) -> list[str]:
    return [kind for kind in PII_TYPES if kind not in denied]


def _leaf(pick: random.Random) -> Config:
    kind, name = pick.choice(_LEAVES)
    return {"type": kind, "name": name}


def _rules(pick: random.Random, depth: int) -> Config:
    operator = pick.choice(["AND", "OR", "NOT"])
    count = 1 if operator == "NOT" else pick.randint(1, 3)
    parts = [_rules(pick, depth - 1) if depth and pick.random() < 0.3 else _leaf(pick) for _ in range(count)]
    return {"operator": operator, "conditions": parts}


def _refs(pick: random.Random) -> list[Config]:
    if pick.random() < 0.2:
        return [{"model": "small", "weight": 30}, {"model": "large", "weight": 70}]
    reasoning = pick.random() < 0.3
    effort = {"reasoning_effort": pick.choice(["low", "high"])} if reasoning else {}
    return [{"model": pick.choice(MODELS), "use_reasoning": reasoning, **effort}]


def _algorithm(pick: random.Random) -> Config:
    """Sometimes an algorithm that selects one of two models, which replace the others."""
    if pick.random() < 0.7:
        return {}
    kind, body = pick.choice([("multi_factor", {"weights": {"cost": 1.0}}), ("latency_aware", {"tpot_percentile": 50})])
    return {"modelRefs": [{"model": "small"}, {"model": "large"}], "algorithm": {"type": kind, kind: body}}


def _plugins(pick: random.Random) -> list[Config]:
    plugins: list[Config] = []
    if pick.random() < 0.4:
        plugins.append(
            {"type": "system_prompt", "configuration": {"system_prompt": pick.choice("ab"), "mode": "insert"}}
        )
    if pick.random() < 0.2:
        plugins.append({"type": "header_mutation", "configuration": {"update": [{"name": "x-a", "value": "1"}]}})
    return plugins


def outcome(config: Config, seen: Seen) -> frozenset[str]:
    """What a config does with a request: one outcome, or several among which confidence decides."""
    routing = config["routing"]
    ranked = sorted(routing["decisions"], key=lambda one: -one["priority"])
    for _, group in itertools.groupby(ranked, key=lambda one: one["priority"]):
        some = frozenset(_done(one, config) for one in group if holds(one["rules"], routing["signals"], seen))
        if some:
            return some
    return frozenset({_done({"modelRefs": [{"model": config["providers"]["defaults"]["model"]}]}, config)})


def _done(decision: Config, config: Config) -> str:
    refs = []
    total = sum(ref.get("weight", 0) for ref in decision["modelRefs"])
    for ref in decision["modelRefs"]:
        share = 1.0 if len(decision["modelRefs"]) == 1 else ref.get("weight", 0) / total if total else None
        refs.append((ref["model"], share, bool(ref.get("use_reasoning")), ref.get("reasoning_effort") or ""))
    plugins = sorted((one["type"], repr(sorted(one["configuration"].items()))) for one in decision.get("plugins", ()))
    algorithm = decision.get("algorithm", {}) if len(refs) > 1 else {}
    prices = {one["name"]: one.get("pricing") for one in config["providers"]["models"]}
    known = [prices[name] for name, *_ in refs] if algorithm.get("type") == "multi_factor" else []
    return repr((refs if total == 0 else sorted(refs), plugins, algorithm, known))


def holds(node: Config, signals: Config, seen: Seen) -> bool:
    """Whether a condition is true of a request."""
    if "type" in node:
        (rule,) = (one for one in signals[_COLLECTION[node["type"]]] if one["name"] == node["name"])
        return _TESTS[node["type"]](rule, seen)
    parts = [holds(part, signals, seen) for part in node["conditions"]]
    return {"AND": all(parts), "OR": any(parts), "NOT": not parts[0]}[node["operator"]]


_COLLECTION = {
    "keyword": "keywords",
    "context": "context",
    "domain": "domains",
    "embedding": "embeddings",
    "pii": "pii",
    "authz": "role_bindings",
}


def _keyword(rule: Config, seen: Seen) -> bool:
    flags = 0 if rule.get("case_sensitive") else re.IGNORECASE
    forms = [word if rule.get("method") else rf"\b{re.escape(word)}\b" for word in rule["keywords"]]
    found = [re.search(form, seen.text, flags) is not None for form in forms]
    return {"OR": any(found), "AND": all(found), "NOR": not any(found)}[rule["operator"]]


def _pii(rule: Config, seen: Seen) -> bool:
    scores = {"EMAIL_ADDRESS": seen.email, "CREDIT_CARD": seen.card}
    return any(scores[kind] >= rule["threshold"] for kind in scores if kind not in rule["pii_types_allowed"])


def _role(rule: Config, seen: Seen) -> bool:
    known = {"User": [seen.user], "Group": seen.groups.split()}
    return any(one["name"] in known[one["kind"]] for one in rule["subjects"])


_TESTS: dict[str, Callable[[Config, Seen], bool]] = {
    "keyword": _keyword,
    "context": lambda rule, seen: int(rule["min_tokens"]) <= seen.tokens <= int(rule.get("max_tokens", 10**9)),
    "domain": lambda rule, seen: seen.label in rule["mmlu_categories"],
    "embedding": lambda rule, seen: seen.similarity >= rule["threshold"],
    "pii": _pii,
    "authz": _role,
}


def changed(config: Config, kind: str, seed: int) -> Config:
    """A copy with a change, which may or may not change a decision."""
    pick, result = random.Random(seed), copy.deepcopy(config)  # noqa: S311 - examples
    CHANGES[kind](result, pick)
    return result


def _any_leaf(config: Config, pick: random.Random) -> Config:
    stack = [one["rules"] for one in config["routing"]["decisions"]]
    nodes = []
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack += node.get("conditions", [])
    return pick.choice([node for node in nodes if "conditions" in node])


def _decision(config: Config, pick: random.Random) -> Config:
    chosen: Config = pick.choice(config["routing"]["decisions"])
    return chosen


def _drop_keyword(config: Config, pick: random.Random) -> None:
    rule = pick.choice(config["routing"]["signals"]["keywords"][:2])
    rule["keywords"].pop(pick.randrange(len(rule["keywords"])))


def _swap_priority(config: Config, pick: random.Random) -> None:
    one, other = (_decision(config, pick) for _ in range(2))
    one["priority"], other["priority"] = other["priority"], one["priority"]


def _tie(config: Config, pick: random.Random) -> None:
    _decision(config, pick)["priority"] = _decision(config, pick)["priority"]


def _negate(config: Config, pick: random.Random) -> None:
    node = _any_leaf(config, pick)
    index = pick.randrange(len(node["conditions"]))
    node["conditions"][index] = {"operator": "NOT", "conditions": [node["conditions"][index]]}


def _operator(config: Config, pick: random.Random) -> None:
    node = _any_leaf(config, pick)
    if node["operator"] != "NOT":
        node["operator"] = {"AND": "OR", "OR": "AND"}[node["operator"]]


def _lose_leaf(config: Config, pick: random.Random) -> None:
    node = _any_leaf(config, pick)
    if len(node["conditions"]) > 1:
        node["conditions"].pop(pick.randrange(len(node["conditions"])))


def _keyword_operator(config: Config, pick: random.Random) -> None:
    pick.choice(config["routing"]["signals"]["keywords"])["operator"] = pick.choice(["AND", "OR", "NOR"])


def _case(config: Config, pick: random.Random) -> None:
    rule = pick.choice(config["routing"]["signals"]["keywords"])
    rule["case_sensitive"] = not rule.get("case_sensitive")


def _threshold(config: Config, pick: random.Random) -> None:
    rule = pick.choice(config["routing"]["signals"]["embeddings"] + config["routing"]["signals"]["pii"])
    rule["threshold"] = pick.choice([0.5, 0.55, 0.6, 0.65])


def _length(config: Config, pick: random.Random) -> None:
    pick.choice(config["routing"]["signals"]["context"])["min_tokens"] = pick.choice(["0", "10", "50", "51"])


def _types(config: Config, pick: random.Random) -> None:
    config["routing"]["signals"]["pii"][0]["pii_types_allowed"] = _allowed(
        pick.choice(["EMAIL_ADDRESS", "CREDIT_CARD"])
    )


def _effort(config: Config, pick: random.Random) -> None:
    ref = _decision(config, pick)["modelRefs"][0]
    ref |= {"use_reasoning": True, "reasoning_effort": pick.choice(["low", "medium"])}


def _prompt(config: Config, pick: random.Random) -> None:
    body = {"system_prompt": "c", "mode": pick.choice(["insert", "replace"])}
    _decision(config, pick)["plugins"] = [{"type": "system_prompt", "configuration": body}]


def _model(config: Config, pick: random.Random) -> None:
    _decision(config, pick)["modelRefs"] = [{"model": pick.choice(MODELS)}]


def _weight(config: Config, pick: random.Random) -> None:
    decision = _decision(config, pick)
    decision["modelRefs"] = [{"model": "small", "weight": 31}, {"model": "large", "weight": 69}]
    decision.pop("algorithm", None)


def _default(config: Config, pick: random.Random) -> None:
    config["providers"]["defaults"]["model"] = pick.choice(MODELS)


def _subjects(config: Config, pick: random.Random) -> None:
    kind, name = pick.choice([("User", "ann"), ("Group", "ops"), ("Group", "dev")])
    subject = {"kind": kind, "name": name}
    pick.choice(config["routing"]["signals"]["role_bindings"])["subjects"] = [subject]


def _another_algorithm(config: Config, pick: random.Random) -> None:
    body = {"tpot_percentile": pick.choice([50, 90])}
    _decision(config, pick)["algorithm"] = {"type": "latency_aware", "latency_aware": body}


def _price(config: Config, pick: random.Random) -> None:
    pick.choice(config["providers"]["models"])["pricing"] = {"prompt_per_1m": 2.0}


def _lose_decision(config: Config, pick: random.Random) -> None:
    config["routing"]["decisions"].pop(pick.randrange(len(config["routing"]["decisions"])))


CHANGES: dict[str, Callable[[Config, random.Random], None]] = {
    "a dropped keyword": _drop_keyword,
    "swapped priorities": _swap_priority,
    "a tie": _tie,
    "a negation": _negate,
    "another operator": _operator,
    "a lost leaf": _lose_leaf,
    "another operator of keywords": _keyword_operator,
    "case": _case,
    "a threshold": _threshold,
    "a length": _length,
    "types of personal data": _types,
    "an effort": _effort,
    "a prompt": _prompt,
    "a model": _model,
    "weights": _weight,
    "the default": _default,
    "a lost decision": _lose_decision,
    "subjects of a role": _subjects,
    "an algorithm": _another_algorithm,
    "a price": _price,
}


def reformed(config: Config, seed: int) -> Config:
    """A copy that says the same in another form: other names, orders, nesting, priorities."""
    pick, result = random.Random(seed), copy.deepcopy(config)  # noqa: S311 - examples
    routing = result["routing"]
    renamed = {}
    for kind, collection in _COLLECTION.items():
        pick.shuffle(routing["signals"][collection])
        for rule in routing["signals"][collection]:
            if kind != "domain":
                renamed[kind, rule["name"]] = f"{rule['name']}-renamed"
                rule["name"] = renamed[kind, rule["name"]]
            if kind == "authz":
                rule["role"] = rule["name"]
            rule["description"] = "In other words."
            if "keywords" in rule:
                rule["keywords"] = [*reversed(rule["keywords"]), rule["keywords"][0]]
    for decision in routing["decisions"]:
        decision["priority"] = decision["priority"] * 7 + 3
        decision["rules"] = _reformed(decision["rules"], renamed, pick)
        decision["plugins"] = list(reversed(decision["plugins"]))
        for ref in decision["modelRefs"]:
            if "weight" in ref:
                ref["weight"] *= 2
    pick.shuffle(routing["decisions"])
    return result


def _reformed(node: Config, renamed: dict[tuple[str, str], str], pick: random.Random) -> Config:
    if "type" in node:
        result: Config = {**node, "name": renamed.get((node["type"], node["name"]), node["name"])}
    else:
        parts = [_reformed(part, renamed, pick) for part in node["conditions"]]
        pick.shuffle(parts)
        result = {"operator": node["operator"], "conditions": parts}
    form = pick.random()
    if form < 0.2:
        return {"operator": "NOT", "conditions": [{"operator": "NOT", "conditions": [result]}]}
    if form < 0.4:
        return {"operator": pick.choice(["AND", "OR"]), "conditions": [result, result]}
    return result
