"""The share of a recipe's probes with the expected decision: ``config.yaml`` beside ``probes.yaml``.

Run: ``python benchmarks/recipe_probes.py FOLDER``, for every recipe below a folder. Only decisions are compared.
Signals that this runtime does not execute without further models are taken as not matched and listed; a probe counts as
executed only if its recipe's decisions use no such signal.
"""

from __future__ import annotations

import argparse
import copy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.program.build import build
from vsr_runtime.decision.program.program import Decision
from vsr_runtime.decision.program.recipes import profiles, with_recipes
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

Json = dict[str, Any]
EXECUTED = {"keywords": "keyword", "context": "context", "structure": "structure", "conversation": "conversation"}
SEPARATOR = " "
DECISION_FIELDS = ("name", "description", "priority", "tier", "rules")
MAX_REPEAT = 20_000


def missing_types(rules: Json | None) -> Iterator[str]:
    """Yield the types of a rule's leaves that are not executed here."""
    if not rules:
        return
    if "type" in rules:
        if rules["type"] not in EXECUTED.values():
            yield str(rules["type"])
    for part in rules.get("conditions", ()):
        yield from missing_types(part)


def without_prose(rule: Json) -> Json:
    """Return a rule without the text that only people read."""
    return {name: value for name, value in rule.items() if name != "description"}


def reduced(routing: Json) -> tuple[Json, Counter[str]]:
    """Return a routing with its executed signals and the decisions that use no others, and the missing types."""
    missing: Counter[str] = Counter()
    decisions = []
    for decision in routing.get("decisions", ()):
        unknown = set(missing_types(decision.get("rules")))
        missing.update(unknown)
        if not unknown:
            kept = {name: decision[name] for name in DECISION_FIELDS if name in decision}
            if kept.get("rules", {}).get("operator") == "AND":
                kept["rules"].setdefault("conditions", [])
            decisions.append(kept)
    found = {name: rules for name, rules in (routing.get("signals") or {}).items() if name in EXECUTED}
    signals = {name: [without_prose(rule) for rule in rules] for name, rules in found.items()}
    strategy = {"strategy": routing["strategy"]} if "strategy" in routing else {}
    return {"signals": signals, "decisions": decisions, **strategy}, missing


def program_of(config: Json) -> tuple[Any, Counter[str]]:
    """Return the program of a config whose models do not matter, and the missing types of signals."""
    main, missing = reduced(config.get("routing") or {})
    recipes = []
    for recipe in config.get("recipes") or ():
        own, types = reduced(recipe["routing"])
        missing += types
        recipes.append({"name": recipe["name"], "routing": own})
    document = {
        "version": "v0.3",
        "providers": {
            "defaults": {"model": "model"},
            "models": [{"name": "model", "backend_refs": [{"name": "a", "endpoint": "model:8000"}]}],
        },
        "routing": {"modelCards": [{"name": "model"}], **main},
        "global": {"router": {"auto_model_names": ["auto"]}},
    }
    if recipes:
        document |= {"recipes": recipes, "entrypoints": copy.deepcopy(config.get("entrypoints") or [])}
    own, others = profiles(RouterConfig.model_validate(document))
    none = frozenset[str]()
    return with_recipes(build(own, none), {name: build(one, none) for name, one in others.items()}), missing


def request_of(variant: Json, model: str) -> Json:
    """Return the request of a probe."""
    messages = variant.get("messages")
    if not messages:
        text = SEPARATOR.join([str(variant["query"])] * min(int(variant.get("repeat", 1)), MAX_REPEAT))
        messages = [{"role": "user", "content": text}]
    return {"model": model, "messages": messages, **({"tools": variant["tools"]} if "tools" in variant else {})}


def probe(folder: Path) -> str:
    """Return the result of one recipe."""
    config = read_yaml(folder / "config.yaml", foreign=True)
    try:
        program, missing = program_of(config)
    except (UserError, ValueError) as error:
        return f"{folder.name}: refused: {' '.join(str(error).split()):.260}"
    view_of = ENDPOINTS[Api.CHAT.value].view_of
    right = wrong = skipped = 0
    failed = []
    for group in read_yaml(folder / "probes.yaml", foreign=True)["decisions"]:
        name, model = group["expected_decision"], group.get("model", "auto")
        own = program.recipes.get(model, program)
        every = {route.name.rpartition("/")[2] for route in own.routes}
        for variant in group["variants"]:
            if name not in every or missing or not ({"query", "messages"} & variant.keys()) or view_of is None:
                skipped += 1
                continue
            outcome = own.decide(view_of(request_of(variant, model), None))
            found = outcome.route.name.rpartition("/")[2] if isinstance(outcome, Decision) and outcome.route else None
            right, wrong = right + (found == name), wrong + (found != name)
            if found != name:
                failed.append(f"  {variant['id']}: {found} instead of {name}")
    listed = ", ".join(f"{kind} ({number})" for kind, number in sorted(missing.items())) or "none"
    head = f"{folder.name}: {right} of {right + wrong} executed probes, {skipped} skipped; missing signals: {listed}"
    return "\n".join([head, *failed])


def main() -> None:
    """Print one line per recipe, and the probes that fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for path in sorted(parser.parse_args().folder.rglob("probes.yaml")):
        if (path.parent / "config.yaml").exists():
            print(probe(path.parent))


if __name__ == "__main__":
    main()
