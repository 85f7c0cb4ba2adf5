"""A request that shows a difference: what is true of it, and, if words are enough, a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from vsr_compiler.equivalence.formula import Above, IsOne, Occurs, Unknown
from vsr_compiler.equivalence.outcome import shortened
from vsr_compiler.equivalence.rules import TOKENS
from vsr_compiler.equivalence.variables import Group, Unit, Variables
from vsr_compiler.equivalence.words import examples, written

BYTES_PER_TOKEN, MAX_PADDING = 4, 4_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        facts: What is true of it, and what is not, as far as it matters.
        text: The last message of a user that has its words; None if none is known.
        complete: Whether the text alone makes the facts true.
    """

    facts: tuple[str, ...]
    text: str | None
    complete: bool


def request(assignment: Mapping[int, bool], variables: Variables) -> Request:
    """Return the request of an assignment."""
    known = [(variables.units[index], value) for index, value in sorted(assignment.items())]
    facts = [sentence for unit, value in known if (sentence := _fact(unit, value=value))]
    text, complete = _text([(unit, value) for unit, value in known])
    return Request(tuple(facts), text, complete)


def _text(known: list[tuple[Unit, bool]]) -> tuple[str | None, bool]:
    """Return a text with the words that must occur and without the others, and whether nothing else matters."""
    choices: list[list[str]] = []
    absent: list[Occurs] = []
    for unit, value in known:
        if not isinstance(unit, Group):
            continue
        if not value:
            absent += unit.members[:1] if unit.every else unit.members
            continue
        shown = [examples(member) for member in unit.members]
        choices += shown if unit.every else [[text for texts in shown for text in texts]]
    if not all(choices):
        return None, False
    complete = not any(value for unit, value in known if not isinstance(unit, Group) and not _is_length(unit))
    text = written(choices or [["hello"]], absent)
    if text is None or not (choices or complete):
        return None, False
    lengths = [unit.bound for unit, value in known if isinstance(unit, Above) and _is_length(unit) and value]
    missing = int(max(lengths, default=0)) * BYTES_PER_TOKEN - len(text.encode())
    if missing > MAX_PADDING:
        return text, False
    return text + " ." * (missing // 2 + 1 if missing > 0 else 0), complete


def _is_length(unit: Unit) -> bool:
    return isinstance(unit, Above) and unit.source == TOKENS


def _fact(unit: Unit, *, value: bool) -> str:
    match unit:
        case Group(members, every):
            names = [_quoted(member) for member in members[:6]] + ["…"] * (len(members) > 6)  # noqa: PLR2004
            listed = (" and " if every else " or ").join(names)
            return f"it has {listed}" if value else f"it has {'not all of' if every else 'no'} {listed}"
        case IsOne(source, label):
            return f"its {source[0]} is {'' if value else 'not '}`{label}`"
        case Unknown(key):
            return f"{_unknown(key)} is {'true' if value else 'false'}"
        case Above(source, bound, strict):
            return f"{_measured(source)} is {_comparison(strict=strict, value=value)} {_number(bound)}"
    assert_never(unit)


def _quoted(member: Occurs) -> str:
    kind = "pattern " if member.pattern else ""
    return f"{kind}{shortened(member.text)}{' in this case' if member.case_sensitive else ''}"


def _unknown(key: tuple[object, ...]) -> str:
    if key[0] == "client":
        return f"the client's {key[1]} `{key[2]}`"
    return " ".join([f"{key[0]}", *(shortened(str(part)) for part in key[1:] if part not in {"", "{}"})])


def _measured(source: tuple[object, ...]) -> str:  # noqa: PLR0911 - one case for each kind
    match source:
        case ("tokens",):
            return "its number of tokens"
        case ("pii", detector, history, kind):
            return f"the score of {kind} ({detector}{', all messages' if history else ''})"
        case ("jailbreak", method, history, _):
            return f"the score of an attack ({method}{', all messages' if history else ''})"
        case ("embedding", tuple(sentences), aggregate, _):
            first = shortened(str(sentences[0])) if sentences else "nothing"
            return f"the similarity ({aggregate}) to {first}" + (" and others" if len(sentences) > 1 else "")
        case ("complexity", tuple(hard), *_):
            return f"the difficulty compared with {shortened(str(hard[0])) if hard else 'nothing'}"
        case ("conversation", kind, role):
            return f"the number of parts `{kind}`{f' of {role}' if role else ''}"
        case (measure, kind, pattern, words, _):
            return f"the {measure} of {kind} {shortened(str(words or pattern))}"
        case _:
            return f"the {source[0]} {shortened(str(source[1:]))}"


def _comparison(*, strict: bool, value: bool) -> str:
    return {(False, True): "at least", (False, False): "below", (True, True): "above", (True, False): "at most"}[
        (strict, value)
    ]


def _number(bound: Fraction) -> str:
    return str(bound.numerator) if bound.denominator == 1 else f"{float(bound):g}"
