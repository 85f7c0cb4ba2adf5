"""The linked policy with other symbols in the place of some."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any


def rebuilt(value: Any, changed: dict[int, Any], done: dict[int, Any] | None = None) -> Any:  # noqa: ANN401 - a symbol
    """A symbol in which others stand in for some, by identity; whatever holds none of them stays the same object."""
    done = {} if done is None else done
    if id(value) in changed:
        return changed[id(value)]
    if id(value) in done:
        return done[id(value)]
    result = value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        new = {name: rebuilt(part, changed, done) for name, part in old.items()}
        if any(new[name] is not part for name, part in old.items()):
            result = replace(value, **new)
    elif isinstance(value, tuple):
        parts = tuple(rebuilt(part, changed, done) for part in value)
        if any(new is not part for new, part in zip(parts, value, strict=True)):
            result = parts
    done[id(value)] = result
    return result
