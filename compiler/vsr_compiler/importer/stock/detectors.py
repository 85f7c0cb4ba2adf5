"""Detectors of attacks and of personal data: checkpoints, thresholds and types."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.stock.context import Context, Signal
from vsr_compiler.importer.values import Fields
from vsr_schemas import pii
from vsr_schemas.pii import MODEL_TYPES, NAMED_TYPES, POLICY_TYPES, type_of
from vsr_schemas.routerconfig.engine_0_4_0 import PII_TYPES

CHECKPOINTS = {
    "jailbreak": "llm-semantic-router/mmbert32k-jailbreak-detector-merged",
    "pii": "llm-semantic-router/mmbert32k-pii-detector-merged",
}
"""The stock router's default checkpoints at release 0.3.0, which its 0.4.0 still knows."""
NO_COMMIT = "0" * 40
"""A commit that does not exist: the router does not start before somebody pins one."""
THRESHOLDS = {"jailbreak": 0.7, "pii": 0.9}


def detector(context: Context, task: str, span: Span) -> str:
    """Return the name of the classifier for a task, which is added to the policy once."""
    draft = context.job.draft
    known = draft.mapping("classifiers")
    name = {"jailbreak": "jailbreak-detector", "pii": "pii-detector"}[task]
    if name not in known:
        known[name] = {"task": task, "checkpoint": {"repo": CHECKPOINTS[task], "revision": NO_COMMIT}}
        draft.comment(("classifiers", name), "Write the commit of the repository that you have tested.")
        module = context.guard_settings.get("prompt_guard" if task == "jailbreak" else "pii")
        if module is not None and module.boolean("enabled") is False:
            message = f"the source switches off the detector of `{task}`, so its signals never match there"
            hint = "Keep it, or remove the signals and guards that use it."
            context.lose("VSR560", f"{message}; those of the policy do", module.at("enabled"), hint)
        other = module.text("model_id") if module is not None else ""
        message = f"the detector of `{task}` needs the commit of its checkpoint {CHECKPOINTS[task]}"
        if other and not other.endswith(CHECKPOINTS[task].rpartition("/")[2]):
            message = f"the source loads `{other}` as detector of `{task}`; the policy names {CHECKPOINTS[task]}"
        hint = "Write the repository and its commit at the classifier. Until then, the router does not start."
        context.lose("VSR535", message, module.value_at("model_id") if other and module else span, hint)
    return name


def jailbreak_detector(context: Context, signal: Signal) -> tuple[str, float]:
    """Return detector and threshold of a jailbreak signal."""
    fields = signal.fields
    method, threshold = fields.text("method").lower(), fields.number("threshold")
    patterns = fields.has("jailbreak_patterns") or fields.has("benign_patterns")
    fields.taken.update({"jailbreak_patterns", "benign_patterns", "direction"})
    if method == "contrastive" or patterns:
        covered(fields.take("jailbreak_patterns"))
        covered(fields.take("benign_patterns"))
        message = f"signal `{signal.name}` compares with sentences; the policy has the classifier instead"
        context.lose("VSR524", message, signal.span, "Compare their recall with prompts of your own.")
        threshold = None if method == "contrastive" else threshold
    module = context.guard_settings.get("prompt_guard")
    if threshold is None and module is not None:
        threshold = module.number("threshold")
    return detector(context, "jailbreak", signal.span), _probability(threshold, "jailbreak")


def pii_signal(context: Context, signal: Signal) -> dict[str, Any]:
    """Return the body of a signal for personal data; nothing if every type is allowed."""
    fields = signal.fields
    denied = denied_types(context, fields, "pii_types_allowed", signal.span)
    threshold = fields.number("threshold")
    if not denied:
        context.lose("VSR525", f"signal `{signal.name}` allows every type, so it never matches", signal.span)
        return {}
    return data_body(context, denied, threshold, signal.span)


def denied_types(context: Context, fields: Fields, key: str, span: Span) -> list[str]:
    """Return the types that a list of allowed types leaves."""
    allowed = {type_of(name) for name in fields.texts(key)}
    for name in sorted(allowed - POLICY_TYPES):
        context.lose("VSR525", f"`{name}` is no type of personal data that is known", span)
    denied = [name for name in PII_TYPES if type_of(name) not in allowed]
    return denied + sorted(pii.denied_types(allowed) & NAMED_TYPES)


def data_body(context: Context, denied: list[str], threshold: float | None, span: Span) -> dict[str, Any]:
    """Return types with a detector, if patterns do not find all of them."""
    body: dict[str, Any] = {"types": denied}
    if any(type_of(name) in MODEL_TYPES for name in denied):
        body["detector"] = detector(context, "pii", span)
        module = context.guard_settings.get("pii")
        if threshold is None and module is not None:
            threshold = module.number("threshold")
        body["threshold"] = _probability(threshold, "pii")
    return body


def _probability(value: float | None, task: str) -> float:
    return min(max(THRESHOLDS[task] if value is None else value, 0), 1)
