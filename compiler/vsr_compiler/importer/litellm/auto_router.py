"""Auto routers: model names for which LiteLLM chooses a model by the text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.litellm.deployments import Deployment
from vsr_compiler.importer.litellm.models import Models
from vsr_compiler.importer.model import Correspondence
from vsr_compiler.importer.values import Fields, child, items, make, text, texts
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

MAX_JSON = 1_000_000
MAX_SENTENCES = 200
THRESHOLD = 0.5
"""The similarity that a sentence needs with our encoder: cosines of the source's encoder are not comparable."""
TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
_COMPLEXITY = ("complexity_router", "complexity", "adaptive_router", "quality_router")


@dataclass(frozen=True, slots=True)
class Routed:
    """What an auto router leaves: the model of requests that no route matches; empty if it names none."""

    default: str


def write_router(item: Deployment, models: Models, job: Job, files: dict[str, Node]) -> Routed:
    """Write the signals and routes of an auto router."""
    if item.model in _COMPLEXITY or item.params.has("complexity_router_config"):
        return _complexity(item, models, job)
    default = _target(item.params.text("auto_router_default_model"), models)
    item.params.text("auto_router_embedding_model")
    config = _config(item, job, files)
    count = 0
    for route in items(child(config, "routes")):
        count += _semantic(route, item, models, job)
    if count:
        hint = "Test it with prompts of your own (`tests`), and change `threshold`."
        message = (
            f"the thresholds of `{item.group}` are for another encoder: each is {THRESHOLD:g} here, and a sentence "
            "decides by its cosine with the default encoder"
        )
        job.losses.add("VSR550", message, item.span, hint)
    return Routed(default)


def _config(item: Deployment, job: Job, files: dict[str, Node]) -> Node | None:
    """Return the routes: written in place, as JSON in a text, or in a file that was passed as well."""
    inline = item.params.take("auto_router_config")
    if isinstance(inline, Mapping):
        return inline
    if isinstance(inline, Scalar):
        try:
            value = json.loads(inline.text[:MAX_JSON])
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return make(value, inline.span)
        job.losses.add("VSR550", "`auto_router_config` is no JSON object", inline.span, "Correct it.", Severity.ERROR)
        return None
    path = item.params.text("auto_router_config_path")
    node = files.get(path.rpartition("/")[2])
    if node is None:
        hint = "Pass the file to `import` as well."
        message = f"the routes of `{item.group}` are in `{path[:80]}`, which was not passed"
        job.losses.add("VSR553", message, item.params.value_at("auto_router_config_path"), hint)
    return node


def _semantic(route: Node, item: Deployment, models: Models, job: Job) -> bool:
    """Write a route with its sentences. Return whether it could be written."""
    fields = Fields.of(route, "routes[]", route.span)
    wanted, sentences = fields.text("name"), list(dict.fromkeys(fields.texts("utterances")))[:MAX_SENTENCES]
    model = _target(wanted, models)
    sentences = [sentence for sentence in sentences if sentence.strip()]
    if not model or not sentences:
        problem = "has no utterances" if model else "names no model of the file"
        hint = "Correct the name, or remove the route."
        job.losses.add(
            "VSR550", f"the route `{wanted[:60]}` {problem}: it is left out", route.span, hint, Severity.ERROR
        )
        job.correspondences.append(Correspondence(wanted, "lost", (), route.span, "VSR550"))
        return False
    signal = job.names.new("signal", wanted, route.span)
    job.draft.mapping("signals")[signal] = {"embedding": {"to": sentences, "threshold": THRESHOLD}}
    if (own := fields.number("score_threshold")) is not None:
        job.draft.comment(("signals", signal), f"score_threshold {own:g} of {_encoder(item)[:60]}; not comparable.")
    _route(job, wanted, {"signal": signal}, model, route.span)
    return True


def _encoder(item: Deployment) -> str:
    return item.params.text("auto_router_embedding_model") or "the source's encoder"


def _complexity(item: Deployment, models: Models, job: Job) -> Routed:
    """Write the tiers of a complexity router: our levels of complexity are by example sentences."""
    config = item.params.fields("complexity_router_config")
    tiers = config.fields("tiers")
    chosen = {tier: (_pool(tiers.take(tier), models), tiers.at(tier)) for tier in TIERS if tiers.has(tier)}
    default = _target(item.params.text("complexity_router_default_model") or config.text("default_model"), models)
    for rule in config.items("keyword_tier_rules"):
        _keyword_rule(rule, chosen, job)
    simple = chosen.get("SIMPLE", ([], item.span))[0]
    hard = next((chosen[tier][0] for tier in ("REASONING", "COMPLEX") if chosen.get(tier, ([],))[0]), [])
    medium = chosen.get("MEDIUM", ([], item.span))[0]
    if hard and (simple or medium or default):
        _level(job, "complex", "hard", hard[0], item.span)
    if simple and (medium or default) and simple[0] != (medium[0] if medium else default):
        _level(job, "simple", "easy", simple[0], item.span)
    hint = "Replace the sentences of `signals` by prompts of your users, and test them (`vsr-compile test`)."
    message = (
        f"`{item.group}` scores prompts by built-in words or by a model, unlike the policy: two signals compare "
        "with example sentences instead"
    )
    job.losses.add("VSR550", message, item.span, hint)
    pools = [tier for tier, (names, _) in chosen.items() if len(names) > 1]
    if pools:
        hint = "Use `split` for a random choice."
        message = f"only the first model of the tiers {', '.join(pools)} is used"
        job.losses.add("VSR550", message, chosen[pools[0]][1], hint)
    unknown = [tier for tier, (names, _) in chosen.items() if not names]
    if unknown:
        message = f"the tiers {', '.join(unknown)} name no model of the file"
        job.losses.add("VSR550", message, chosen[unknown[0]][1], "Correct the names.")
    return Routed((medium[0] if medium else "") or default or (simple[0] if simple else ""))


def _pool(node: Node | None, models: Models) -> list[str]:
    return [model for name in texts(node) if (model := _target(name, models))]


def _keyword_rule(rule: Node, chosen: dict[str, tuple[list[str], Span]], job: Job) -> None:
    """Write a rule that leads words to a tier."""
    words, tier = texts(child(rule, "keywords")), text(child(rule, "tier"))
    names = chosen.get(tier, ([], rule.span))[0]
    if words and names:
        signal = job.names.new("signal", f"words for {tier.lower()}", rule.span)
        job.draft.mapping("signals")[signal] = {"keywords": list(dict.fromkeys(words))}
        _route(job, f"words for {tier.lower()}", {"signal": signal}, names[0], rule.span)


_SENTENCES = {
    "hard": [
        "Think step by step and prove that the algorithm terminates.",
        "Design a distributed architecture and compare the trade-offs.",
        "Find the race condition in this service and explain how to fix it.",
    ],
    "easy": [
        "Hello!",
        "What is the capital of France?",
        "Translate this word.",
        "Define photosynthesis in one sentence.",
    ],
}


def _level(job: Job, name: str, level: str, model: str, span: Span) -> None:
    signal = job.names.new("signal", name, span)
    body: dict[str, Any] = {"hard": _SENTENCES["hard"], "easy": _SENTENCES["easy"], "level": level}
    job.draft.mapping("signals")[signal] = {"complexity": body}
    job.draft.comment(("signals", signal), "Examples: replace these sentences by prompts of your users.")
    _route(job, name, {"signal": signal}, model, span)


def _route(job: Job, wanted: str, when: dict[str, Any], model: str, span: Span) -> None:
    name = job.names.new("route", wanted, span)
    job.draft.append("routes", {"name": name, "when": when, "model": model})
    job.correspondences.append(Correspondence(wanted, "route", (name,), span, "VSR550"))


def _target(group: str, models: Models) -> str:
    names = models.names.get(group)
    return names[0] if names else ""
