"""Changes for traffic as sentences, and the formatting of values in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.review.field_diff import changes
from vsr_schemas.reports_diff import FieldChange

Tag = tuple[str, ...]
"""Identifies a change: the diff and the rules for breaking changes use the same tag for the same change."""
LONGEST = 80


@dataclass(frozen=True, slots=True)
class ChangeText:
    """A change as a sentence. ``breaking`` is the name of the rule that classifies it as breaking."""

    tag: Tag
    text: str
    breaking: str = ""


def field_changes(tag: Tag, subject: str, old: Any, new: Any) -> Iterator[ChangeText]:  # noqa: ANN401 - any JSON
    """Yield one sentence per changed field, for changes without a special wording.

    A short value that is added or removed is shown whole, a long one field by field, so nothing is cut.
    """
    for change in _expanded(changes(old, new)):
        before = "not set" if change.change == "added" else format_value(change.old)
        after = "not set" if change.change == "removed" else format_value(change.new)
        yield ChangeText((*tag, change.path), f"{subject}: {change.path} {before} → {after}")


def _expanded(found: Iterable[FieldChange]) -> Iterator[FieldChange]:
    for change in found:
        value = change.new if change.change == "added" else change.old
        if change.change == "changed" or not isinstance(value, dict) or len(format_value(value)) < LONGEST:
            yield change
        elif change.change == "added":
            yield from _expanded(changes({}, value, change.path))
        else:
            yield from _expanded(changes(value, {}, change.path))


def share_changes(
    tag: Tag, subject: str, old: Mapping[str, float], new: Mapping[str, float], *, nothing: str = "nothing"
) -> Iterator[ChangeText]:
    """Yield the change of a split between models or endpoints; ``nothing`` is the text for an empty one."""
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
        text = f"{_division(before) or nothing} → {_division(after) or nothing}"
    yield ChangeText((*tag, "shares"), f"{subject}: {text}")


def format_value(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value on one line of limited length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    if "\n" in text:
        return f"<{text.count(chr(10))} lines, sha256 {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}>"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _division(division: Mapping[str, float]) -> str:
    if len(division) == 1:
        return next(iter(division))
    return ", ".join(f"{name} {share:g} %" for name, share in division.items())
