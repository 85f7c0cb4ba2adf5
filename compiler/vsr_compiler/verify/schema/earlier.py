"""Objects that fit an earlier release of their project than the newest one, if nothing says which the cluster has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.schema.structure import Problem

_SHOWN = 6


def best(problems: list[Problem], others: Iterable[tuple[str, list[Problem]]]) -> tuple[str, list[Problem]]:
    """Return the release into which an object fits best, empty for the newest, and its problems there.

    Args:
        problems: The problems by the newest release.
        others: Earlier releases, each with the problems by it.
    """
    found = "", problems
    for release, of_it in others if problems else ():
        if len(of_it) < len(found[1]):
            found = release, of_it
        if not of_it:
            break
    return found


@dataclass(slots=True)
class Fits:
    """What fits an earlier release only, by both releases."""

    _names: dict[tuple[str, str], tuple[Span, dict[str, None]]] = field(default_factory=dict)

    def add(self, newest: str, release: str, span: Span, names: Iterable[str]) -> None:
        """Remember what a release has that the newest has not."""
        _, known = self._names.setdefault((newest, release), (span, {}))
        known.update(dict.fromkeys(names))

    def notes(self) -> list[Diagnostic]:
        """Return a note for each pair of releases."""
        notes = []
        for (newest, release), (span, names) in self._names.items():
            listed = ", ".join(list(names)[:_SHOWN]) + (
                f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            )
            message = f"fits {release}, but not {newest}: {listed}"
            hint = "Name the release of the cluster by --release, or correct it for the newest."
            notes.append(Diagnostic("VSR487", message, span, hint))
        return notes
