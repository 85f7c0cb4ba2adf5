"""The share of a recipe's probes with the expected decision: ``config.yaml`` beside ``probes.yaml``.

Run: ``python benchmarks/recipe_probes.py FOLDER [--encoder]``, for every recipe below a folder.

Only decisions are compared. A signal that the runtime does not execute without further models, or not at all, stays
unknown: a probe counts as executed if its decision follows from the other signals, whatever the unknown ones are.
Otherwise it is listed under the types of the signals on which it depends. ``--encoder`` computes embedding and
complexity signals with the shipped encoder; the thresholds of a recipe are made for the encoder of the stock router.
"""

from __future__ import annotations

import argparse
import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.program import evaluation
from vsr_runtime.decision.program.build import ModelBindings, build
from vsr_runtime.decision.program.build_signals import build_model_signals, build_signals, check_personal_data
from vsr_runtime.decision.program.conditions import SIMILARITIES
from vsr_runtime.decision.program.outcome import Decision
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.recipes import profiles, with_recipes
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig, Signals

Json = dict[str, Any]
Cosines = Callable[[str, Sequence[str]], Mapping[str, float]]
TYPES = {
    "keywords": "keyword",
    "context": "context",
    "structure": "structure",
    "conversation": "conversation",
    "language": "language",
    "input_modality": "input_modality",
    "pii": "pii",
    "embeddings": "embedding",
    "complexity": "complexity",
}
"""The type in conditions of each section of signals that can be executed without a classifier."""
LIKENESS = frozenset({"embedding", "complexity"})
STAND_IN = "jailbreak"
"""The type of the signals that stand for those that are not executed: none of their detectors ever answers."""
SEPARATOR = " "
DECISION_FIELDS = ("name", "description", "priority", "tier")
MAX_REPEAT = 20_000
MAX_BYTES = 8 << 20
NEUTRAL = "x"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
MAX_ROUNDS = 8


@dataclass(slots=True)
class Tally:
    """What became of a recipe's probes."""

    right: int = 0
    failed: list[str] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    unusable: int = 0

    def line(self, name: str) -> str:
        """Return the result as text: one line, and one for each probe with another decision."""
        executed = self.right + len(self.failed)
        listed = ", ".join(f"{kind} ({number})" for kind, number in self.missing.most_common()) or "none"
        other = f"; {self.unusable} not usable" if self.unusable else ""
        return "\n".join(
            [f"{name}: {self.right} of {executed} executed probes; missing signals: {listed}{other}", *self.failed]
        )


def executable(section: str, rule: Json, sentences: frozenset[str] | None) -> bool:
    """Return whether the runtime executes a signal."""
    if section not in TYPES or (sentences is None and TYPES[section] in LIKENESS):
        return False
    try:
        signals = Signals.model_validate({section: [rule]})
        check_personal_data(signals.pii or (), ())
        build_signals(signals)
        build_model_signals(signals, sentences or frozenset(), {})
    except (UserError, ValueError):
        return False
    return True


def sentences_of(routing: Json) -> frozenset[str]:
    """Return the sentences of embedding and complexity signals."""
    signals = routing.get("signals") or {}
    sides = list(signals.get("embeddings") or ())
    sides += [rule.get(side) or {} for rule in signals.get("complexity") or () for side in ("hard", "easy")]
    return frozenset(sentence for side in sides for sentence in side.get("candidates") or ())


class Reducer:
    """Replaces the signals of a routing that are not executed by stand-ins."""

    def __init__(self, routing: Json, sentences: frozenset[str] | None) -> None:
        """Keep the signals that are executed."""
        self.stand_ins: set[str] = set()
        given = routing.get("signals") or {}
        self.signals: Json = {
            section: kept
            for section, rules in given.items()
            if (kept := [rule for rule in rules or () if executable(section, rule, sentences)])
        }
        self.known = {(TYPES[section], rule["name"]) for section, rules in self.signals.items() for rule in rules}
        if "complexity" in self.signals:
            self._drop_composed()

    def _drop_composed(self) -> None:
        """Drop the complexity signals whose composers ask about other types: a stand-in cannot be composed."""
        kept = [rule for rule in self.signals["complexity"] if self._composable(rule.get("composer"))]
        self.known -= {("complexity", rule["name"]) for rule in self.signals["complexity"] if rule not in kept}
        self.signals["complexity"] = kept

    def _composable(self, rules: Json | None) -> bool:
        if not rules:
            return True
        if "type" in rules:
            return self._is_known(rules["type"], rules["name"])
        return all(self._composable(part) for part in rules.get("conditions") or ())

    def _is_known(self, kind: str, name: str) -> bool:
        return (kind, name.rpartition(":")[0] if kind == "complexity" else name) in self.known

    def leaf(self, kind: str, name: str) -> tuple[str, str]:
        """Return a signal, or its stand-in."""
        if kind == "projection" or self._is_known(kind, name):
            return kind, name
        self.stand_ins.add(f"{kind}/{name}")
        return STAND_IN, f"{kind}/{name}"

    def rules(self, rules: Json) -> Json:
        """Return the rules of a decision."""
        if "type" in rules:
            kind, name = self.leaf(rules["type"], rules["name"])
            return {"type": kind, "name": name}
        parts = {"conditions": [self.rules(part) for part in rules["conditions"]]} if rules.get("conditions") else {}
        return {"operator": rules["operator"], **parts}

    def projections(self, projections: Json) -> Json:
        """Return the projections."""
        changed: Json = copy.deepcopy(projections)
        for section in changed.values():
            for item in section:
                item.pop("description", None)
        for score in changed.get("scores") or ():
            score["inputs"] = [self._input(one) for one in score["inputs"]]
        partitions = changed.pop("partitions", None) or ()
        whole = [one for one in partitions if all(("embedding", name) in self.known for name in one["members"])]
        return {**changed, "partitions": whole} if whole else changed

    def _input(self, one: Json) -> Json:
        name = one.get("name") or f"{one.pop('kb', '')}.{one.pop('metric', '')}"
        kind, name = self.leaf(one["type"], name)
        if kind == STAND_IN and one.get("value_source") == "score":
            one["value_source"] = "confidence"
        return {**one, "type": kind, "name": name}

    def routing(self, routing: Json) -> Json:
        """Return the routing."""
        decisions = []
        for decision in routing.get("decisions") or ():
            kept = {name: decision[name] for name in DECISION_FIELDS if name in decision}
            decisions.append({**kept, "rules": self.rules(decision["rules"])} if decision.get("rules") else kept)
        changed: Json = {"decisions": decisions}
        if routing.get("projections"):
            changed["projections"] = self.projections(routing["projections"])
        if "strategy" in routing:
            changed["strategy"] = routing["strategy"]
        waiting = [{"name": name, "threshold": 0.5, "include_history": True} for name in sorted(self.stand_ins)]
        return {**changed, "signals": {**self.signals, **({STAND_IN: waiting} if waiting else {})}}


def program_of(config: Json, *, encoder: bool) -> tuple[Program, frozenset[str]]:
    """Return the program of a config whose models do not matter, and the sentences of its signals."""
    own_routing = config.get("routing") or {}
    routings = [own_routing, *(recipe["routing"] for recipe in config.get("recipes") or ())]
    sentences = frozenset[str]().union(*map(sentences_of, routings))
    reduced = [Reducer(routing, sentences if encoder else None).routing(routing) for routing in routings]
    document = {
        "version": "v0.3",
        "providers": {
            "defaults": {"model": "model"},
            "models": [{"name": "model", "backend_refs": [{"name": "a", "endpoint": "model:8000"}]}],
        },
        "routing": {"modelCards": [{"name": "model"}], **reduced[0]},
        "global": {"router": {"auto_model_names": ["auto"]}},
    }
    if config.get("recipes"):
        named = zip(config["recipes"], reduced[1:], strict=True)
        document["recipes"] = [{"name": recipe["name"], "routing": routing} for recipe, routing in named]
        document["entrypoints"] = copy.deepcopy(config.get("entrypoints") or [])

    def built(one: RouterConfig) -> Program:
        names = {rule.name: rule.name for rule in one.routing.signals.jailbreak or ()}
        return build(one, frozenset(), detectors=names, bindings=ModelBindings(sentences, names))

    main, others = profiles(RouterConfig.model_validate(document))
    return with_recipes(built(main), {name: built(one) for name, one in others.items()}), sentences


def decide(program: Program, view: RequestView, sentences: Iterable[str], cosines: Cosines) -> str | set[str] | None:
    """Return the name of the decision; None if none holds; the types of the missing signals if it depends on them."""
    known = None
    for _ in range(MAX_ROUNDS):
        outcome = evaluation.decide(program, view, known)
        if isinstance(outcome, Decision):
            return outcome.route.name.rpartition("/")[2] if outcome.route else None
        if not outcome.kinds & SIMILARITIES:
            return {name.partition("/")[0] for name in outcome.detectors}
        of_ask, of_request = (cosines(view.text(everywhere=every), list(sentences)) for every in (False, True))
        results = ModelResults(similarities=of_ask, request_similarities=of_request)
        known = program.with_model_results(outcome.signals, view, results)
    return {"embedding"}


def cosines_by_encoder() -> Cosines:
    """Return what compares a text with sentences, by the shipped encoder."""
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - only with --encoder
    from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder  # noqa: PLC0415 - as above

    encoder = SentenceEncoder.load(find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights))
    vectors: dict[str, Any] = {}

    def cosines(text: str, sentences: Sequence[str]) -> Mapping[str, float]:
        new = [one for one in (*sentences, text) if one not in vectors]
        vectors.update(zip(new, encoder.embed(new) if new else (), strict=True))
        return {sentence: float(vectors[text] @ vectors[sentence]) for sentence in sentences}

    return cosines


def request_of(variant: Json, model: str) -> Json:
    """Return the request of a probe. Texts that a probe only describes are made, and so are its images."""
    messages = copy.deepcopy(variant.get("messages"))
    if not messages:
        text = SEPARATOR.join([str(variant["query"])] * min(int(variant.get("repeat", 1)), MAX_REPEAT))
        messages = [{"role": "user", "content": _padded(text, variant.get("padding"))}]
    for message in messages:
        if isinstance(message.get("content"), list):
            message["content"] = [IMAGE if part.get("type") == "image_fixture" else part for part in message["content"]]
    if "generated_text" in variant:
        _generate(messages, variant["generated_text"])
    return {"model": model, "messages": messages, **({"tools": variant["tools"]} if "tools" in variant else {})}


def _padded(text: str, padding: Json | None) -> str:
    """Return a text with neutral text around it."""
    if not padding:
        return text
    number = min(int(padding["repeat"]), MAX_REPEAT)
    before = {"before": number, "around": number // 2}.get(padding.get("placement", "before"), 0)
    more = str(padding["text"])
    return SEPARATOR.join([more] * before + [text] + [more] * (number - before))


def _generate(messages: list[Json], wanted: Json) -> None:
    """Add a neutral text to a message, so that its texts have the bytes that the probe wants."""
    message = messages[wanted["message_index"]]
    content = message["content"]
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    present = sum(len(str(part.get("text", "")).encode()) for part in parts)
    missing = min(int(wanted["target_text_bytes"]), MAX_BYTES) - present
    parts.insert(wanted["content_index"], {"type": "text", "text": (NEUTRAL * (missing // len(NEUTRAL) + 1))[:missing]})
    message["content"] = parts


def probe(folder: Path, cosines: Cosines | None = None) -> str:
    """Return the result of one recipe."""
    try:
        program, sentences = program_of(read_yaml(folder / "config.yaml", foreign=True), encoder=cosines is not None)
    except (UserError, ValueError) as error:
        return f"{folder.name}: refused: {' '.join(str(error).split()):.600}"
    view_of = ENDPOINTS[Api.CHAT.value].view_of
    tally = Tally()
    for group in read_yaml(folder / "probes.yaml", foreign=True)["decisions"]:
        name, model = group["expected_decision"], group.get("model", "auto")
        own = program.recipes.get(model, program)
        for variant in group["variants"]:
            if not ({"query", "messages"} & variant.keys()) or view_of is None:
                tally.unusable += 1
                continue
            found = decide(own, view_of(request_of(variant, model), None), sentences, cosines or (lambda *_: {}))
            if isinstance(found, set):
                tally.missing["+".join(sorted(found))] += 1
            elif found == name:
                tally.right += 1
            else:
                tally.failed.append(f"  {variant['id']}: {found} instead of {name}")
    return tally.line(folder.name)


def main() -> None:
    """Print one line per recipe, and the probes that fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", action="store_true", help="compute embeddings with the shipped encoder")
    given = parser.parse_args()
    cosines = cosines_by_encoder() if given.encoder else None
    for path in sorted(given.folder.rglob("probes.yaml")):
        if (path.parent / "config.yaml").exists():
            print(probe(path.parent, cosines))


if __name__ == "__main__":
    main()
