"""Replace symbols in a linked policy wherever they are used."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any


def substitute(value: Any, replacements: dict[int, Any], done: dict[int, Any] | None = None) -> Any:  # noqa: ANN401 - a symbol
    """Return a symbol with other symbols replaced. A symbol that contains none of them is returned as the same object.

    Args:
        value: The symbol to rebuild, or a tuple of them.
        replacements: New symbols by the ``id()`` of the old ones.
        done: Results so far by ``id()``; shared between calls so that equal objects stay one object.
    """
    done = {} if done is None else done
    if id(value) in replacements:
        return replacements[id(value)]
    if id(value) in done:
        return done[id(value)]
    result = value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        new = {name: substitute(part, replacements, done) for name, part in old.items()}
        if any(new[name] is not part for name, part in old.items()):
            result = replace(value, **new)
    elif isinstance(value, tuple):
        parts = tuple(substitute(part, replacements, done) for part in value)
        if any(new is not part for new, part in zip(parts, value, strict=True)):
            result = parts
    done[id(value)] = result
    return result
