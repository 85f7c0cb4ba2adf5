"""Decisions and plugins that protect, as guards."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.model import Correspondence
from vsr_compiler.importer.stock.conditions import Leaf, Rules
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.stock.detectors import data_body, denied_types, detector, jailbreak_detector, pii_signal
from vsr_compiler.importer.stock.makers import HISTORY
from vsr_compiler.importer.stock.plugins import Effects
from vsr_compiler.importer.stock.projections import PROTECTIVE

GUARDED = frozenset({"pii", "jailbreak"})
PASS = {"unreadable": "pass"}
"""The stock router reads text only, so content without text passes there."""


def guarded(rules: Rules) -> bool:
    """Return whether a fixed answer behind these rules is a guard: any leaf alone makes it, and some detect."""
    return (
        bool(rules.leaves)
        and any(item.type in GUARDED for item in rules.leaves)
        and not any(item.negated for item in rules.leaves)
        and isinstance(rules.condition, dict)
        and (set(rules.condition) <= {"any"} or len(rules.leaves) == 1)
        and all(set(part) == {"signal"} or set(part) == {"category"} for part in rules.condition.get("any", []))
    )


def from_decision(context: Context, name: str, leaves: list[Leaf], span: Span) -> list[str]:
    """Add the guards of a decision with a fixed answer. Return their names."""
    names: list[str] = []
    for found in leaves:
        signal = context.signals.get((found.type, found.name))
        if signal is None or found.type not in GUARDED:
            continue
        signal.used = True
        if found.type == "jailbreak":
            model, threshold = jailbreak_detector(context, signal)
            body: dict[str, Any] = {"detector": model, "threshold": threshold}
        else:
            body = pii_signal(context, signal)
            if not body:
                continue
        context.leftovers(signal.fields, HISTORY)
        names.append(_added(context, found.name, body, signal.span))
    if names:
        message = f"decision `{name}` becomes {_listed(names)}: a request that it answers with 200 gets 403"
        hint = "Clients must treat 403 as a refusal. A guard comes before all routes."
        context.lose("VSR523", message, span, hint)
        _everywhere(context, span)
    return names


def from_plugins(context: Context, name: str, found: Effects) -> list[str]:
    """Add the guards that plugins of a decision become. They apply to all requests, not only to its own."""
    names: list[str] = []
    for type_, fields, span in found.guards:
        threshold = fields.number("threshold")
        if type_ == "pii":
            if not (denied := denied_types(context, fields, "pii_types_allowed", span)):
                continue
            body = data_body(context, denied, threshold, span)
        else:
            body = {"detector": detector(context, "jailbreak", span)}
            body["threshold"] = 0.7 if threshold is None else min(max(threshold, 0), 1)
        if type_ == "response_jailbreak":
            body["on"] = "response"
            if fields.text("action").lower() in {"header", "none"}:
                body["action"] = "flag"
        fields.taken.update({"enabled", "action", "pii_types_allowed"})
        context.leftovers(fields, HISTORY)
        names.append(_added(context, type_.replace("_", "-"), body, span))
    if names:
        message = f"the protection of decision `{name}` becomes {_listed(names)}, which applies to every request"
        context.lose("VSR523", message, found.guards[0][2], "Exempt models by `except` if they may get such requests.")
        _everywhere(context, found.guards[0][2])
    return names


def by_settings(context: Context, type_: str, body: dict[str, Any], span: Span) -> str:
    """Add a guard that the source has for all requests."""
    name = _added(context, type_, body, span)
    message = f"the protection against {type_} becomes {_listed([name])}: a refused request gets 403"
    context.lose("VSR523", message, span, "Clients must treat 403 as a refusal.")
    _everywhere(context, span)
    context.job.correspondences.append(Correspondence("", "guard", (name,), span, "VSR523"))
    return name


def _added(context: Context, wanted: str, body: dict[str, Any], span: Span) -> str:
    """Return the guard with this body, which is added unless there is one."""
    known = context.job.draft.mapping("guards")
    whole = {**body, **({} if body.get("on") == "response" else PASS)}
    for name, other in known.items():
        if other == whole:
            return str(name)
    name = context.job.names.new("guard", wanted, span)
    known[name] = whole
    return name


def _everywhere(context: Context, span: Span) -> None:
    """Say once that guards now also read requests that name their model."""
    message = "a request that names its model bypasses every protection of the stock router, and no guard of the policy"
    key = ("VSR533", message)
    if not any((item.code, item.message) == key for item in context.job.losses.all()):
        context.lose("VSR533", message, span, "Exempt models by `except` if clients rely on it.")


def _listed(names: list[str]) -> str:
    return f"the guard{'s' * (len(names) > 1)} " + " and ".join(f"`{name}`" for name in names)


def protective(rules: Rules, found: Effects) -> bool:
    """Return whether a decision protects: it answers by itself, or reads what detectors find."""
    return found.respond is not None or any(item.type in PROTECTIVE for item in rules.leaves)
