"""The guards of the settings made ready."""

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
    """The guards in the order in which they act.

    Args:
        given: the settings' guards by name.
        models: the names that a request can end at.
        detectors: the detectors that are loaded.

    Raises:
        UserError: one names what is not there, or looks for what cannot be looked for.
    """
    return in_order([_build_guard(name, guard, models, detectors) for name, guard in given.items()])


def _build_guard(
    name: str, given: settings.GuardSettings, models: Collection[str], detectors: Collection[str]
) -> Guard:
    place = f"guards.{name}"
    for key, named in (("model", [given.model] if given.model else []), ("exempt", given.exempt or [])):
        if missing := [model for model in named if model not in models]:
            raise config_error(f"{place}.{key}", f"config.yaml has no model {missing[0]!r}", "runtime.yaml")
    if (given.action == "route") != (given.model is not None):
        raise config_error(f"{place}.model", "belongs to the action route, which needs it", "runtime.yaml")
    if given.action == "route" and given.on != "request":
        raise config_error(f"{place}.on", "only a request can be routed", "runtime.yaml")
    if given.unmask and (given.action != "mask" or given.on == "response"):
        raise config_error(f"{place}.unmask", "undoes only the masks of requests", "runtime.yaml")
    if given.detector is not None and given.detector not in detectors:
        raise config_error(f"{place}.detector", f"no detector {given.detector!r} is loaded", "runtime.yaml")
    found = _build_finders(place, given)
    if not found and given.detector is None:
        raise config_error(place, "looks for nothing; give types, patterns, builtin or a detector", "runtime.yaml")
    return Guard(
        name=name,
        action=given.action,
        finders=found,
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
    found: list[Finder] = []
    try:
        if given.types:
            found.append(personal(given.types))
        if given.patterns:
            found.append(patterns(given.patterns))
    except ValueError as error:
        raise config_error(place, str(error), "runtime.yaml") from None
    found += [BUILTIN[name]() for name in given.builtin or ()]
    return tuple(found)
