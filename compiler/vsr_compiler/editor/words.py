"""What can be written at a place: keys with their documentation, and names that the policy defines."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.editor.place import ITEM, Place
from vsr_compiler.editor.symbols import SECTIONS, Symbols
from vsr_compiler.targets import environment_targets
from vsr_schemas.policy.v1alpha1.descriptions import DESCRIPTIONS

KINDS = {
    "model": "model",
    "models": "model",
    "fallback": "model",
    "default": "model",
    "split": "model",
    "to": "model",
    "category": "category",
    "signal": "signal",
    "route": "route",
    "guards": "guard",
    "guard": "guard",
    "with": "guard",
    "detector": "classifier",
    "endpoints": "endpoint",
}
"""What the names are of that a key takes. Where it takes something else, nothing is offered."""
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Word:
    """Something that can be written: the text, what it is in a word or two, and its documentation."""

    text: str
    detail: str
    docs: str = ""


def words_at(place: Place, known: Symbols | None) -> list[Word]:
    """Return what can be written at a place, in the order of the reference.

    Args:
        place: Where.
        known: The names of the policy, as of its last text that could be read; None if there was none.
    """
    if place.key is None:
        if place.path and place.path[-1] == "split" and known is not None:
            return [Word(name, "model") for name in known.names("model")]
        return keys_at(place.path)
    kind = KINDS.get(place.key)
    if place.key == "target" and place.path[:1] == ("environments",):
        return [Word(name, "target") for name in environment_targets()]
    if kind is None or known is None:
        return []
    names = [Word(name, kind) for name in known.names(kind)]
    if kind == "route" and place.path[:1] == ("tests",):
        names.append(Word(DEFAULT, "no route matches"))
    return names


def keys_at(path: tuple[str, ...]) -> list[Word]:
    """Return the keys that a section has, with their documentation."""
    section = DESCRIPTIONS.get(section_of(path), {})
    return [Word(key, "key", docs) for key, docs in section.items()]


def docs_of(path: tuple[str, ...]) -> str:
    """Return the documentation of a key; "" if there is none, as of a name."""
    if not path:
        return ""
    return DESCRIPTIONS.get(section_of(path[:-1]), {}).get(path[-1], "")


def section_of(path: tuple[str, ...]) -> str:
    """Return the path of a section as the table of descriptions has it.

    >>> section_of(("models", "big", "price")), section_of(("routes", "[]", "when", "all", "[]"))
    ('models.*.price', 'routes[].when')
    """
    steps: list[str] = []
    for number, step in enumerate(path):
        if step == ITEM and steps:
            steps[-1] += ITEM
        elif number == 1 and path[0] in SECTIONS:
            steps.append("*")
        else:
            steps.append(step)
    exact = ".".join(steps)
    if exact in DESCRIPTIONS:
        return exact
    # A condition is within conditions as it is in a route.
    for end in range(len(steps), 0, -1):
        shorter = ".".join(steps[:end])
        if shorter in DESCRIPTIONS and all(step.removesuffix(ITEM) in {"all", "any", "not"} for step in steps[end:]):
            return shorter
    return exact
