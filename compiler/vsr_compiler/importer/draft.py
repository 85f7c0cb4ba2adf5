"""A policy in the making: its sections as plain data, and comments about lines that could not be carried over."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.model import Rename
from vsr_schemas.scalars import DNS_LABEL

Path = tuple[str | int, ...]
"""Keys and indices from the root of the policy."""
MAX_LABEL = 63
MAX_NAME = 253


@dataclass(slots=True)
class Draft:
    """Sections of a policy, in the order in which they are filled.

    Attributes:
        sections: Mappings, lists, texts, numbers and booleans.
        comments: Lines above the entry at a path; those at ``()`` are at the head of the file.
    """

    sections: dict[str, Any] = field(default_factory=dict)
    comments: dict[Path, list[str]] = field(default_factory=dict)

    def mapping(self, *path: str) -> dict[str, Any]:
        """Return the mapping at a path of keys, which is created if there is none."""
        found = self.sections
        for step in path:
            found = found.setdefault(step, {})
        return found

    def append(self, section: str, value: Any) -> Path:  # noqa: ANN401 - whatever the section holds
        """Append an entry to a list. Return its path."""
        entries = self.sections.setdefault(section, [])
        entries.append(value)
        return (section, len(entries) - 1)

    def comment(self, path: Path, text: str) -> None:
        """Add a comment above the entry at a path. A repeated one is kept once."""
        lines = self.comments.setdefault(path, [])
        if text not in lines:
            lines.append(text)


def label(text: str) -> str:
    """Return a text as a DNS label; empty if nothing of it is allowed."""
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MAX_LABEL].strip("-")
    return found if re.fullmatch(DNS_LABEL, found) else ""


def line(text: str) -> str:
    """Return a text as a name on one line without blanks at its ends."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_NAME].strip()


def header(text: str) -> str:
    """Return a text as a name that a header can carry."""
    return re.sub(r"[^\x21-\x7e]+", "-", text.strip()).strip("-")[:MAX_NAME]


FORMS: dict[str, Callable[[str], str]] = {
    "policy": label,
    "endpoint": label,
    "secret": label,
    "model": header,
    "signal": line,
    "category": line,
    "guard": line,
    "route": line,
    "classifier": line,
}
"""How a name of each kind is cleaned."""
TAKEN = {"route": {"default"}}
"""Names that have a meaning of their own."""


@dataclass(slots=True)
class Names:
    """Names of the policy by kind: clean, unique, with their places, and recorded where they differ from the source."""

    renames: list[Rename] = field(default_factory=list)
    places: dict[tuple[str, str], Span] = field(default_factory=dict)
    _used: dict[str, set[str]] = field(default_factory=dict)
    _known: dict[tuple[str, str, object], str] = field(default_factory=dict)

    def new(self, kind: str, wanted: str, span: Span, *, key: object = None) -> str:
        """Return the name for a thing of the source.

        Args:
            kind: A key of ``FORMS``.
            wanted: Its name in the source.
            span: Where that is.
            key: What makes it the same thing as before; without one, every call is about another thing.
        """
        if key is not None and (kind, wanted, key) in self._known:
            return self._known[kind, wanted, key]
        used = self._used.setdefault(kind, set(TAKEN.get(kind, ())))
        base = FORMS[kind](wanted) or kind
        name, number = base, 1
        while name in used:
            number += 1
            tail = f"-{number}"
            name = base[: (MAX_LABEL if FORMS[kind] is label else MAX_NAME) - len(tail)] + tail
        used.add(name)
        self.places[kind, name] = span
        if key is not None:
            self._known[kind, wanted, key] = name
        if name != wanted and wanted and kind not in {"endpoint", "secret"}:
            self.renames.append(Rename(kind, wanted, name, span))
        return name

    def release(self, kind: str, name: str) -> None:
        """Make a name free again, because nothing of the policy has it any more."""
        self._used.get(kind, set()).discard(name)

    def known(self, kind: str, wanted: str, key: object) -> str:
        """Return the name that a thing got; empty if it has none."""
        return self._known.get((kind, wanted, key), "")
