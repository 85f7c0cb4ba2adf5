"""Compares guards: changes as sentences, and which of them weaken a guard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.review.change_text import ChangeText, field_changes

GuardConfig = Mapping[str, Any]
STRENGTH = {"block": 4, "deny": 4, "mask": 3, "redact": 3, "route": 2, "warn": 1}
"""How strict an action is. Any other action only reports."""
CLOSED = frozenset({"block", "deny", "closed", "fail"})
"""Values of ``onError`` that fail closed."""
COVERED = {"types": "looks for", "patterns": "looks for", "builtin": "looks for", "entities": "looks for"}
DIRECTIONS = {"both": {"request", "response"}}


def guard_changes(name: str, old: GuardConfig, new: GuardConfig) -> Iterator[ChangeText]:
    """Yield the changes of a guard that exists on both sides."""
    freed, held = exempt(new) - exempt(old), exempt(old) - exempt(new)
    for model in sorted(freed):
        yield ChangeText(("guard", name, "exempt", model), f"guard {name} no longer covers {model}")
    for model in sorted(held):
        yield ChangeText(("guard", name, "exempt", model), f"guard {name} covers {model} again")
    for key, action in COVERED.items():
        before, after = _texts(old.get(key)), _texts(new.get(key))
        for item in sorted(before - after):
            yield ChangeText(("guard", name, key, item), f"guard {name} no longer {action} {item}")
        for item in sorted(after - before):
            yield ChangeText(("guard", name, key, item), f"guard {name} also {action} {item}")
    handled = {"exempt", "except", *COVERED}
    rest = ({key: value for key, value in side.items() if key not in handled} for side in (old, new))
    yield from field_changes(("guard", name), f"guard {name}", *rest)


def weakened(name: str, old: GuardConfig, new: GuardConfig) -> Iterator[ChangeText]:
    """Yield the changes that weaken a guard."""
    for model in sorted(exempt(new) - exempt(old)):
        yield ChangeText(("guard", name, "exempt", model), f"guard {name} no longer covers {model}")
    for key in COVERED:
        for item in sorted(_texts(old.get(key)) - _texts(new.get(key))):
            yield ChangeText(("guard", name, key, item), f"guard {name} no longer looks for {item}")
    if STRENGTH.get(str(new.get("action")), 0) < STRENGTH.get(str(old.get("action")), 0):
        yield _field(name, "action", old, new)
    if old.get("unreadable") == "block" and new.get("unreadable") == "pass":
        yield _field(name, "unreadable", old, new)
    before, after = old.get("threshold"), new.get("threshold")
    if isinstance(before, int | float) and isinstance(after, int | float) and after > before:
        yield _field(name, "threshold", old, new)
    if not _directions(old) <= _directions(new):
        yield _field(name, "on", old, new)
    if old.get("detector") != new.get("detector") and old.get("detector") and not new.get("detector"):
        yield _field(name, "detector", old, new)


def fail_open_changes(name: str, old: GuardConfig, new: GuardConfig) -> Iterator[ChangeText]:
    """Yield a change of a guard from fail-closed to fail-open."""
    if "onError" in new and str(new["onError"]) not in CLOSED and str(old.get("onError", "block")) in CLOSED:
        yield _field(name, "onError", old, new)


def exempt(guard: GuardConfig) -> set[str]:
    """Return the models that a guard exempts, in whichever form they are listed."""
    models: set[str] = set()
    for key in ("exempt", "except"):
        value = guard.get(key)
        models |= _texts(value.get("models") if isinstance(value, dict) else value)
    return models


def _directions(guard: GuardConfig) -> set[str]:
    on = guard.get("on", "request")
    return _texts(on) if isinstance(on, list) else DIRECTIONS.get(str(on), {str(on)})


def _texts(value: Any) -> set[str]:  # noqa: ANN401 - whatever the file holds
    return {str(item) for item in value} if isinstance(value, list) else set()


def _field(name: str, key: str, old: GuardConfig, new: GuardConfig) -> ChangeText:
    return next(iter(field_changes(("guard", name), f"guard {name}", {key: old.get(key)}, {key: new.get(key)})))
