"""Edits of a JSON body that leave all other characters unchanged."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.effects import Removed
from vsr_runtime.decision.request.json_body import JsonBody, Members, MemberSpan, scan_object


@fast_dataclass(frozen=True, slots=True)
class Splice:
    """Replaces the text from ``start`` to ``end`` by ``text``."""

    start: int
    end: int
    text: str = ""


def apply_splices(text: str, splices: Iterable[Splice]) -> str:
    """Return the text with all splices applied.

    Raises:
        ValueError: two splices overlap.
    """
    ordered = sorted(splices, key=lambda splice: (splice.start, splice.end))
    if any(after.start < before.end for before, after in pairwise(ordered)):
        raise ValueError("splices overlap")
    parts: list[str] = []
    at = 0
    for splice in ordered:
        parts += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*parts, text[at:]])


def removal_splices(spans: Sequence[MemberSpan], indices: Collection[int]) -> list[Splice]:
    """Return splices that remove items from a list or an object, each with one comma.

    An item is removed with the comma before it. Leading items have none and are removed with the one after.
    """
    splices: list[Splice] = []
    first_kept = next((i for i in range(len(spans)) if i not in indices), len(spans))
    for i in sorted(indices):
        span = spans[i]
        if i > first_kept:
            splices.append(Splice(spans[i - 1].end, span.end))
        else:
            splices.append(Splice(span.start, spans[i + 1].start if i + 1 < len(spans) else span.end))
    return splices


def insertion_splices(opened: int, items: Sequence[str], *, alone: bool) -> list[Splice]:
    """Return splices that insert items first in a list or object. ``alone`` is whether nothing else remains in it."""
    text = ",".join(items)
    return [Splice(opened, opened, text if alone else text + ",")] if items else []


class BodyDraft:
    """The edits of one body. Later edits see earlier ones, and the result is always valid JSON without duplicate keys.

    Args:
        body: the client's body.
    """

    def __init__(self, body: JsonBody) -> None:
        self.body = body
        self._set: dict[str, str] = {}
        self._removed: set[str] = set()
        self._inner: dict[str, list[Splice]] = {}

    def get(self, key: str) -> object:
        """Return the client's value; None if there is none, or if it was removed or replaced."""
        return None if self._changed(key) else self.body.values.get(key)

    def remove(self, *keys: str) -> None:
        """Remove members."""
        for key in keys:
            self._set.pop(key, None)
            self._inner.pop(key, None)
            if key in self.body.members.spans:
                self._removed.add(key)

    def set(self, key: str, value: object) -> None:
        """Set the value of a member."""
        self._inner.pop(key, None)
        self._removed.discard(key)
        self._set[key] = json.dumps(value)

    def update(self, key: str, fields: Mapping[str, object | Removed]) -> None:
        """Set and remove members of the object at a key. It is created if something is set."""
        values = {name: value for name, value in fields.items() if not isinstance(value, Removed)}
        if isinstance(self.get(key), dict):
            _, members = scan_object(self.body.text, self.body.members.spans[key].value)
            removed = {name for name in fields if name not in values}
            texts = {name: json.dumps(value) for name, value in values.items()}
            self.within(key, _member_splices(members, texts, removed))
        elif values:
            self.set(key, values)

    def within(self, key: str, splices: list[Splice]) -> None:
        """Edit the client's value of a key, which must not have been removed or replaced.

        Raises:
            ValueError: it was, or there is none.
        """
        if self._changed(key) or key not in self.body.values:
            raise ValueError(f"the client's value of {key} was removed or replaced")
        self._inner.setdefault(key, []).extend(splices)

    def text(self) -> str:
        """Return the text with all edits; the client's own text if nothing was changed."""
        if not (self._set or self._removed or self._inner):
            return self.body.text
        if len(self._set) == 1 and not self._removed and not self._inner:
            ((key, value),) = self._set.items()
            if position := self.body.position_of_text(key):
                return self.body.text[: position[0]] + value + self.body.text[position[1] :]
        splices = [splice for inner in self._inner.values() for splice in inner]
        return apply_splices(self.body.text, [*splices, *_member_splices(self.body.members, self._set, self._removed)])

    def _changed(self, key: str) -> bool:
        return key in self._set or key in self._removed


def _member_splices(members: Members, changed: Mapping[str, str], removed: set[str]) -> list[Splice]:
    """Return the splices that set and remove members of an object."""
    keys = list(members.spans)
    indices = {i for i, key in enumerate(keys) if key in removed}
    fresh = [f"{json.dumps(key)}:{value}" for key, value in changed.items() if key not in members.spans]
    values = [
        Splice(members.spans[key].value, members.spans[key].end, value)
        for key, value in changed.items()
        if key in members.spans
    ]
    alone = len(indices) == len(keys)
    return [
        *values,
        *removal_splices(list(members.spans.values()), indices),
        *insertion_splices(members.opened, fresh, alone=alone),
    ]
