"""The stock router's contract as data: its definitions and fields, and what happens to those that are not executed.

A field is executed if it is in the models of ``v0_4_0``. ``treatment.toml`` says of the others whether they are
ignored, because they change no decision and drop no protection, or refused, and why. A field without a row is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

RELEASE = "0.4.0"
Definitions = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """What happens to a field, or to one value of it.

    Attributes:
        treatment: ``ignored`` or ``refused``.
        why: one sentence.
    """

    treatment: Literal["ignored", "refused"]
    why: str


@dataclass(frozen=True, slots=True)
class Need:
    """A block that matters only where something else of the config uses it.

    Attributes:
        signals: the lists of signals that use it.
        plugins: the plugins that use it.
        why: one sentence.
    """

    signals: frozenset[str]
    plugins: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of ``treatment.toml``, by ``Definition.field`` or ``Definition.field=value``."""

    rows: Mapping[str, Row]
    needs: Mapping[str, Need]

    def of(self, definition: str, field: str, value: object = None) -> Row | None:
        """Return the row of a value, else of a field; None if there is none."""
        name = f"{definition}.{field}"
        if isinstance(value, bool | int | float | str):
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            if row := self.rows.get(f"{name}={shown}"):
                return row
        return self.rows.get(name) or self.rows.get(f"{definition}.*")


@cache
def definitions(release: str = RELEASE) -> Definitions:
    """Return the fields of all definitions of a release, with their types. See the head of the file."""
    text = files(__name__).joinpath(f"release-{release}.txt").read_text(encoding="utf-8")
    found: dict[str, Mapping[str, str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, *fields = line.split()
            found[name] = dict(field.split(":", 1) for field in fields)
    return found


@cache
def table() -> Table:
    """Return the treatment of fields that are not executed."""
    data = tomllib.loads(files(__name__).joinpath("treatment.toml").read_text(encoding="utf-8"))
    rows: dict[str, Row] = {}
    for treatment in ("ignored", "refused"):
        for why, names in data[treatment].items():
            rows |= {name: Row(treatment, why) for name in names}
    needs = {
        name: Need(frozenset(need.get("signals", ())), frozenset(need.get("plugins", ())), need["why"])
        for name, need in data["needed"].items()
    }
    return Table(rows, needs)
