"""The places of a built object, whose parts come from several files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.verify.manifest import Path
from vsr_compiler.yaml_reader import event_span

Places = Any
"""The event of a scalar; for a mapping or list, its event and the places of its entries; or one of these in a file."""


@dataclass(frozen=True, slots=True)
class In:
    """The places of a part that comes from another file, such as a patch."""

    name: str
    places: Places


@dataclass(frozen=True, slots=True)
class BuiltPlaces:
    """Locates the parts of a built object.

    Attributes:
        root: The places of the object.
        name: The file of places that name none.
    """

    root: Places
    name: str

    def span(self, path: Path, key: bool) -> Span:  # noqa: FBT001 - the signature of ``Manifest.locate``
        """Return the place of a path, or of its nearest existing ancestor."""
        name, place = _opened(self.root, self.name)
        at = place
        for number, step in enumerate(path):
            children = place[1] if isinstance(place, tuple) else None
            if isinstance(children, dict) and step in children:
                key_place, inside = children[step]
                last = number == len(path) - 1
                name, place = _opened(inside, name)
                at = place
                if key and last:
                    name, at = _opened(key_place, name)
            elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
                name, place = _opened(children[step], name)
                at = place
            else:
                return _span_of(at if number == 0 else place, name)
        return _span_of(at, name)


def _opened(places: Places, name: str) -> tuple[str, Places]:
    """Return the file in which places are, and the places themselves."""
    while isinstance(places, In):
        name, places = places.name, places.places
    return name, places


def _span_of(place: Places, name: str) -> Span:
    """Return the place of a value: the whole extent of a scalar, the first character of a mapping or list."""
    if isinstance(place, tuple):
        mark = place[0].start_mark
        return Span(name, mark.line + 1, mark.column + 1)
    return event_span(place, name)
