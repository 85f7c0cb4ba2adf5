"""A sentence on what changes for traffic, and how any value reads in one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.review.fields import changes

Tag = tuple[str, ...]
"""What a sentence is about: the words and the rules that speak of the same thing use the same one."""
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence. ``breaking`` is the name of the rule that says so."""

    tag: Tag
    text: str
    breaking: str = ""


def generic(tag: Tag, subject: str, old: Any, new: Any) -> Iterator[Statement]:  # noqa: ANN401 - any JSON
    """A sentence a field, for what has no words of its own."""
    for change in changes(old, new):
        before = "not set" if change.change == "added" else shown(change.old)
        after = "not set" if change.change == "removed" else shown(change.new)
        yield Statement((*tag, change.path), f"{subject}: {change.path} {before} → {after}")


def shares(tag: Tag, subject: str, old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Statement]:
    """How a division between models or endpoints changes."""
    before = {name: round(share, 1) for name, share in old.items()}
    after = {name: round(share, 1) for name, share in new.items()}
    if before == after:
        return
    if len(before) == len(after) == 1:
        text = f"{next(iter(before))} → {next(iter(after))}"
    elif before.keys() == after.keys():
        moved = [name for name in before if before[name] != after[name]]
        text = ", ".join(f"{name} {before[name]:g} % → {after[name]:g} %" for name in moved)
    else:
        text = f"{_division(before)} → {_division(after)}"
    yield Statement((*tag, "shares"), f"{subject}: {text}")


def shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    """A value on one line of a sane length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    if "\n" in text:
        return f"<{text.count(chr(10))} lines, sha256 {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}>"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _division(division: Mapping[str, float]) -> str:
    if len(division) == 1:
        return next(iter(division))
    return ", ".join(f"{name} {share:g} %" for name, share in division.items()) or "nothing"
