"""A program over a base configuration, which has the providers."""

from __future__ import annotations

from vsr_compiler.importer.values import child, items, text
from vsr_compiler.syntax.nodes import Mapping, Sequence

REPLACED = ("signals", "projections", "decisions", "strategy")


def merged(base: Mapping | None, program: Mapping) -> Mapping:
    """Return the configuration with the routing, recipes and entry points of a program."""
    own = Mapping(program.span, dict(base.entries) if base is not None else {})
    before, after = child(base, "routing"), child(program, "routing")
    entries = dict(before.entries) if isinstance(before, Mapping) else {}
    if isinstance(after, Mapping):
        for key in REPLACED:
            entries.pop(key, None)
        cards = {text(child(card, "name")): card for card in items(child(before, "modelCards"))}
        cards |= {text(child(card, "name")): card for card in items(child(after, "modelCards"))}
        entries |= after.entries
        entries["modelCards"] = (program.span, Sequence(program.span, list(cards.values())))
    own.entries["routing"] = (program.span, Mapping(program.span, entries))
    for key in ("recipes", "entrypoints"):
        if key in program.entries:
            own.entries[key] = program.entries[key]
    return own
