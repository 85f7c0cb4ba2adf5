"""Changes places of a text and leaves every other character as it was."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.effects import Removed
from vsr_runtime.decision.request.json_body import JsonBody, Members, MemberSpan, scan_object


@fast_dataclass(frozen=True, slots=True)
class Splice:
    """What stands from ``start`` to ``end`` becomes ``text``."""

    start: int
    end: int
    text: str = ""


def apply_splices(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices done.

    Raises:
        ValueError: two of them overlap, so that neither order would be right.
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


def removal_splices(spans: Sequence[MemberSpan], which: Collection[int]) -> list[Splice]:
    """Take items out of a list or an object, each with the one comma that then is too many.

    A comma goes with the item behind it; those at the front, which have none before them, take the one that follows.
    """
    splices: list[Splice] = []
    first_kept = next((i for i in range(len(spans)) if i not in which), len(spans))
    for i in sorted(which):
        span = spans[i]
        if i > first_kept:
            splices.append(Splice(spans[i - 1].end, span.end))
        else:
            splices.append(Splice(span.start, spans[i + 1].start if i + 1 < len(spans) else span.end))
    return splices


def insertion_splices(opened: int, items: Sequence[str], *, alone: bool) -> list[Splice]:
    """Put items first into a list or an object that opens before ``opened``; ``alone`` where nothing else stays."""
    text = ",".join(items)
    return [Splice(opened, opened, text if alone else text + ",")] if items else []


class BodyDraft:
    """The edits of one body. Later ones see what earlier ones did; a key can come to stand neither twice nor broken.

    Args:
        body: what the client sent.
    """

    def __init__(self, body: JsonBody) -> None:
        self.body = body
        self._set: dict[str, str] = {}
        self._removed: set[str] = set()
        self._inner: dict[str, list[Splice]] = {}

    def get(self, key: str) -> object:
        """The client's value; None where there is none, or where it was removed or replaced."""
        return None if self._changed(key) else self.body.values.get(key)

    def remove(self, *keys: str) -> None:
        """Take members out."""
        for key in keys:
            self._set.pop(key, None)
            self._inner.pop(key, None)
            if key in self.body.members.spans:
                self._removed.add(key)

    def set(self, key: str, value: object) -> None:
        """Give a member a value, whatever it had."""
        self._inner.pop(key, None)
        self._removed.discard(key)
        self._set[key] = json.dumps(value)

    def update(self, key: str, fields: Mapping[str, object | Removed]) -> None:
        """Set and remove members of the object under a key, which is made if something is to be set."""
        wanted = {name: value for name, value in fields.items() if not isinstance(value, Removed)}
        if isinstance(self.get(key), dict):
            _, members = scan_object(self.body.text, self.body.members.spans[key].value)
            gone = {name for name in fields if name not in wanted}
            texts = {name: json.dumps(value) for name, value in wanted.items()}
            self.within(key, _member_splices(members, texts, gone))
        elif wanted:
            self.set(key, wanted)

    def within(self, key: str, splices: list[Splice]) -> None:
        """Change places of the client's own value of a key, which must not have been removed or replaced.

        Raises:
            ValueError: it has been, or there is none.
        """
        if self._changed(key) or key not in self.body.values:
            raise ValueError(f"nothing of the client's is left at {key}")
        self._inner.setdefault(key, []).extend(splices)

    def text(self) -> str:
        """The text with all edits; the client's own text where nothing was changed."""
        if not (self._set or self._removed or self._inner):
            return self.body.text
        if len(self._set) == 1 and not self._removed and not self._inner:
            ((key, value),) = self._set.items()
            if place := self.body.place_of_text(key):
                return self.body.text[: place[0]] + value + self.body.text[place[1] :]
        splices = [splice for inner in self._inner.values() for splice in inner]
        return apply_splices(self.body.text, [*splices, *_member_splices(self.body.members, self._set, self._removed)])

    def _changed(self, key: str) -> bool:
        return key in self._set or key in self._removed


def _member_splices(members: Members, changed: Mapping[str, str], gone: set[str]) -> list[Splice]:
    """The splices that set and remove members of one object."""
    keys = list(members.spans)
    which = {i for i, key in enumerate(keys) if key in gone}
    fresh = [f"{json.dumps(key)}:{value}" for key, value in changed.items() if key not in members.spans]
    values = [
        Splice(members.spans[key].value, members.spans[key].end, value)
        for key, value in changed.items()
        if key in members.spans
    ]
    alone = len(which) == len(keys)
    return [
        *values,
        *removal_splices(list(members.spans.values()), which),
        *insertion_splices(members.opened, fresh, alone=alone),
    ]
