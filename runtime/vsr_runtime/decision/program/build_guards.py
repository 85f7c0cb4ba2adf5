"""Builds the guards of the runtime settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vsr_runtime.decision.guards.finders import credentials, injection, patterns, personal
from vsr_runtime.decision.guards.guard import Finder, Guard, in_order
from vsr_runtime.errors import config_error
from vsr_schemas import runtime as settings

BUILTIN = {"credentials": credentials, "injection": injection}


def build_guards(
    guards: Mapping[str, settings.GuardSettings], models: Collection[str], detectors: Collection[str] = ()
) -> tuple[Guard, ...]:
    """Build the guards, in the order in which they act.

    Args:
        guards: the guards of the settings, by name.
        models: the model names that a request can be sent to.
        detectors: the loaded detectors.

    Raises:
        UserError: a guard refers to something that does not exist, or has an invalid combination of fields.
    """
    return in_order([_build_guard(name, guard, models, detectors) for name, guard in guards.items()])


def _build_guard(
    name: str, guard: settings.GuardSettings, models: Collection[str], detectors: Collection[str]
) -> Guard:
    place = f"guards.{name}"
    for key, names in (("model", [guard.model] if guard.model else []), ("exempt", guard.exempt or [])):
        if missing := [model for model in names if model not in models]:
            raise config_error(f"{place}.{key}", f"config.yaml has no model {missing[0]!r}", "runtime.yaml")
    if (guard.action == "route") != (guard.model is not None):
        raise config_error(f"{place}.model", "is required by, and only allowed with, the action route", "runtime.yaml")
    if guard.action == "route" and guard.on != "request":
        raise config_error(f"{place}.on", "only a request can be routed", "runtime.yaml")
    if guard.unmask and (guard.action != "mask" or guard.on == "response"):
        raise config_error(f"{place}.unmask", "only restores what was masked in requests", "runtime.yaml")
    if guard.detector is not None and guard.detector not in detectors:
        raise config_error(f"{place}.detector", f"no detector {guard.detector!r} is loaded", "runtime.yaml")
    finders = _build_finders(place, guard)
    if not finders and guard.detector is None:
        raise config_error(place, "searches for nothing; add types, patterns, builtin or a detector", "runtime.yaml")
    return Guard(
        name=name,
        action=guard.action,
        finders=finders,
        detector=guard.detector,
        threshold=guard.threshold,
        types=frozenset(guard.types) if guard.types else None,
        target=guard.model,
        on_request=guard.on in ("request", "both"),
        on_response=guard.on in ("response", "both"),
        max_tokens=guard.maxTokens,
        passes_errors=guard.onError == "pass",
        passes_unreadable=guard.unreadable == "pass",
        unmask=bool(guard.unmask),
        exempt=frozenset(guard.exempt or ()),
    )


def _build_finders(place: str, guard: settings.GuardSettings) -> tuple[Finder, ...]:
    finders: list[Finder] = []
    try:
        if guard.types:
            finders.append(personal(guard.types))
        if guard.patterns:
            finders.append(patterns(guard.patterns))
    except ValueError as error:
        raise config_error(place, str(error), "runtime.yaml") from None
    finders += [BUILTIN[name]() for name in guard.builtin or ()]
    return tuple(finders)
