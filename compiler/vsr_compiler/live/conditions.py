"""Conditions of an object's status, and what they say about the object as it is now.

The spellings of control planes that `vsr_compiler.deploy.argocd.health` names are understood here as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vsr_compiler.verify.manifest import as_mapping, as_mappings, as_string

Conditions = dict[str, Mapping[str, Any]]
MAX_CONDITIONS = 100
_LONGEST = 300


def short(text: str) -> str:
    """Return a text of others as one line of limited length, without control characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * _LONGEST]).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def generation(live: Mapping[str, Any]) -> int:
    """Return the generation of an object; 0 if the server counts none."""
    value = as_mapping(live.get("metadata")).get("generation")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def current(live: Mapping[str, Any], conditions: object) -> tuple[Conditions, int | None]:
    """Return the conditions about the object's own generation by type, and the newest older one if there is any.

    Some controllers leave the generation out, or write 0.
    """
    own, older = generation(live), None
    seen: Conditions = {}
    for item in as_mappings(conditions)[:MAX_CONDITIONS]:
        observed = item.get("observedGeneration")
        if not observed or observed == own or not isinstance(observed, int):
            seen[as_string(item.get("type"))] = item
        else:
            older = max(older or 0, observed)
    return seen, older


def explained(name: str, condition: Mapping[str, Any]) -> str:
    """Return a condition in one line: its type, reason and message."""
    reason, message = as_string(condition.get("reason")), as_string(condition.get("message"))
    words = [text for text in (reason, message if message != reason else "") if text]
    return short(f"{name} is {as_string(condition.get('status')) or 'unset'}: {': '.join(words) or 'no reason given'}")


def fault(seen: Conditions, wanted: Iterable[str], faults: Iterable[str] = ()) -> str:
    """Return the first condition that refuses the object; empty if none does."""
    for name in wanted:
        condition, opposite, swapped = seen.get(name), seen.get(f"Not{name}"), seen.get("Invalid")
        if condition is not None and condition.get("status") == "False":
            return explained(name, condition)
        if opposite is not None:
            return explained(f"Not{name}", opposite)
        if swapped is not None and swapped.get("reason") == name:
            return explained("Invalid", swapped)
    for name in faults:
        condition = seen.get(name)
        if condition is not None and condition.get("status") == "True":
            return explained(name, condition)
    return ""


def holds(seen: Conditions, name: str) -> bool:
    """Return whether a condition is true."""
    return seen.get(name, {}).get("status") == "True"


def waiting(name: str, seen: Conditions, older: int | None, live: Mapping[str, Any]) -> str:
    """Return why a condition is not true yet."""
    if name in seen:
        return explained(name, seen[name])
    if older is not None:
        return f"{name} is about generation {older}, and the object is at generation {generation(live)}"
    return f"no controller has set {name} yet"
