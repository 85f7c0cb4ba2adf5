"""Builds the guards of the runtime settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vsr_runtime.decision.guards.finders import credentials, injection, patterns, personal
from vsr_runtime.decision.guards.guard import Finder, Guard, in_order
from vsr_runtime.errors import config_error
from vsr_schemas import runtime as settings

BUILTIN = {"credentials": credentials, "injection": injection}


def build_guards(
    given: Mapping[str, settings.GuardSettings], models: Collection[str], detectors: Collection[str] = ()
) -> tuple[Guard, ...]:
    """Build the guards, in the order in which they act.

    Args:
        given: the guards of the settings, by name.
        models: the model names that a request can be sent to.
        detectors: the loaded detectors.

    Raises:
        UserError: a guard refers to something that does not exist, or has an invalid combination of fields.
    """
    return in_order([_build_guard(name, guard, models, detectors) for name, guard in given.items()])


def _build_guard(
    name: str, given: settings.GuardSettings, models: Collection[str], detectors: Collection[str]
) -> Guard:
    place = f"guards.{name}"
    for key, names in (("model", [given.model] if given.model else []), ("exempt", given.exempt or [])):
        if missing := [model for model in names if model not in models]:
            raise config_error(f"{place}.{key}", f"config.yaml has no model {missing[0]!r}", "runtime.yaml")
    if (given.action == "route") != (given.model is not None):
        raise config_error(f"{place}.model", "is required by, and only allowed with, the action route", "runtime.yaml")
    if given.action == "route" and given.on != "request":
        raise config_error(f"{place}.on", "only a request can be routed", "runtime.yaml")
    if given.unmask and (given.action != "mask" or given.on == "response"):
        raise config_error(f"{place}.unmask", "only restores what was masked in requests", "runtime.yaml")
    if given.detector is not None and given.detector not in detectors:
        raise config_error(f"{place}.detector", f"no detector {given.detector!r} is loaded", "runtime.yaml")
    finders = _build_finders(place, given)
    if not finders and given.detector is None:
        raise config_error(place, "searches for nothing; add types, patterns, builtin or a detector", "runtime.yaml")
    return Guard(
        name=name,
        action=given.action,
        finders=finders,
        detector=given.detector,
        threshold=given.threshold,
        types=frozenset(given.types) if given.types else None,
        target=given.model,
        on_request=given.on in ("request", "both"),
        on_response=given.on in ("response", "both"),
        max_tokens=given.maxTokens,
        passes_errors=given.onError == "pass",
        passes_unreadable=given.unreadable == "pass",
        unmask=bool(given.unmask),
        exempt=frozenset(given.exempt or ()),
    )


def _build_finders(place: str, given: settings.GuardSettings) -> tuple[Finder, ...]:
    finders: list[Finder] = []
    try:
        if given.types:
            finders.append(personal(given.types))
        if given.patterns:
            finders.append(patterns(given.patterns))
    except ValueError as error:
        raise config_error(place, str(error), "runtime.yaml") from None
    finders += [BUILTIN[name]() for name in given.builtin or ()]
    return tuple(finders)
