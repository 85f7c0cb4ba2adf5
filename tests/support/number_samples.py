"""Numbers of people and companies, made from the forms that the recognisers search for.

Run: ``python tests/support/number_samples.py``. It prints the table of ``docs/reference/guards.md``; a test compares.
"""

from __future__ import annotations

import random
import re._constants as codes
import re._parser as parser
import string
import sys
from collections.abc import Iterator
from typing import Any

from vsr_runtime.decision.guards.recogniser import Recogniser
from vsr_runtime.decision.guards.rules import companies, national
from vsr_runtime.decision.guards.rules.numbers_by_country import is_valid
from vsr_schemas.pii_numbers import COMPANIES, PEOPLE

RARE = {
    ("be-nn", False): "85.07.30-033.28",
    ("fi-hetu", True): "131052-308T",
    ("fr-nif", False): "30 23 217 600 053",
    ("mx-curp", True): "BOXW310820HNERXN09",
    ("no-fodselsnummer", False): "151086 95088",
    ("eu-vat", True): "BE0428759497",
    ("eu-vat", False): "DE136695976",
}
"""Numbers that chance takes seconds to make, by rule and whether it counts alone: the examples of python-stdnum."""
TRIES = 200_000
"""Random numbers of a form that are tried at most until one is valid."""


def form(pattern: bytes, chance: random.Random) -> str:
    """A random text that a pattern matches."""
    return "".join(_pieces(parser.parse(pattern.decode("latin-1").replace(r"\b", "")), chance))


def _pieces(tree: Any, chance: random.Random) -> Iterator[str]:
    for kind, value in tree:
        if kind is codes.LITERAL:
            yield chr(value)
        elif kind is codes.IN:
            yield chance.choice(_members(value))
        elif kind in {codes.MAX_REPEAT, codes.MIN_REPEAT}:
            least, most, inner = value
            for _ in range(chance.randint(least, min(most, least + 8))):
                yield from _pieces(inner, chance)
        elif kind is codes.SUBPATTERN:
            yield from _pieces(value[3], chance)
        elif kind is codes.BRANCH:
            yield from _pieces(chance.choice(value[1]), chance)
        elif kind is codes.NOT_LITERAL:
            yield "x"
        elif kind is codes.AT:
            continue
        else:
            raise AssertionError(kind)


def _members(items: Any) -> str:
    text = ""
    if items[0][0] is codes.NEGATE:
        refused = _members(items[1:])
        return "".join(letter for letter in string.ascii_letters + string.digits + "-._" if letter not in refused)
    for kind, value in items:
        if kind is codes.LITERAL:
            text += chr(value)
        elif kind is codes.RANGE:
            text += "".join(map(chr, range(value[0], value[1] + 1)))
        elif kind is codes.CATEGORY:
            text += {codes.CATEGORY_DIGIT: string.digits, codes.CATEGORY_WORD: "aeiu", codes.CATEGORY_SPACE: " \n"}[
                value
            ]
    return text


def entries() -> list[tuple[Recogniser, Any, bytes, bool]]:
    """Recogniser, check, words, and whether a number counts alone, of every rule."""
    tables = ((national.RULES, national._TABLE), (companies.RULES, companies._TABLE))
    return [
        (recogniser, check, words, alone)
        for rules, table in tables
        for recogniser, (_, check, _, words, alone) in zip(rules, table, strict=True)
    ]


def valid(entry: tuple[Recogniser, Any, bytes, bool], chance: random.Random) -> str:
    """A valid number; any number of a form without a check digit."""
    recogniser, check, _, alone = entry
    if (recogniser.rule, alone) in RARE:
        return RARE[recogniser.rule, alone]
    for _ in range(TRIES):
        number = form(recogniser.pattern, chance)
        if is_valid(check, number) or (not alone and not _can_be_valid(check)):
            return number
    raise AssertionError(f"no valid number of {recogniser.rule}")


def _can_be_valid(check: Any) -> bool:
    return isinstance(check, str) or check.__name__ != "never_valid"


def word(words: bytes) -> str:
    """The first context word of an alternation, without what is optional in it."""
    text = words.split(b"|")[0].decode().replace(r"\xff", "é").replace(r"\w", "s")
    for mark in ("-?", " ?", "?", "\\", "(", ")", ":"):
        text = text.replace(mark, "")
    return text


def table() -> str:
    """The narrower types, as Markdown."""
    alone = {recogniser.type for recogniser, _, _, alone in entries() if alone}
    rows = "| type | number | group | counts without a context word |\n|---|---|---|---|\n"
    for group, types in (("NATIONAL_ID", PEOPLE), ("TAX_ID", COMPANIES)):
        for name in sorted(types):
            rows += f"| `{name}` | {types[name]} | `{group}` | {'yes' if name in alone else 'no'} |\n"
    return rows


if __name__ == "__main__":
    sys.stdout.write(table())
