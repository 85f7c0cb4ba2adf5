"""Measures which personal data guards find, and what they take for it in technical texts.

Run: ``python benchmarks/guards.py pii [texts]``. Prints the tables of ``docs/reference/guards.md``. Samples are made by
rules of their own (``tests/support``), with a fixed seed. No text of anybody is read.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support.number_samples import entries, valid, word  # noqa: E402 - found by the line above
from support.personal_samples import MAKERS  # noqa: E402 - as above
from support.technical_texts import KINDS, texts  # noqa: E402 - as above
from vsr_runtime.decision.deadline import never  # noqa: E402 - as above
from vsr_runtime.decision.guards.finders import personal, spans  # noqa: E402 - as above
from vsr_runtime.decision.guards.guard import Finder  # noqa: E402 - as above
from vsr_schemas.pii import GROUPS, PATTERN_TYPES  # noqa: E402 - as above

TYPES = sorted({*PATTERN_TYPES, "POSTAL_ADDRESS", "TAX_ID"})
PER_RULE, PER_TYPE = 5, 300


def samples() -> Iterator[tuple[str, str, str]]:
    """Type, text, and the value that is to be found in it."""
    chance = random.Random(7)  # noqa: S311 - the same samples in every run
    for entry in entries():
        for _ in range(PER_RULE):
            number = valid(entry, chance)
            yield GROUPS[entry[0].type], f"Here it is, {word(entry[2])} {number}, as you asked.", number
    for kind, maker in MAKERS.items():
        for _ in range(PER_TYPE):
            text, value = maker(chance)
            yield kind, text, value


def found_share(finders: dict[str, Finder], change: Callable[[str], str]) -> dict[str, tuple[int, int, int]]:
    """By type: how many samples there are, how many are found, and how many are found whole."""
    counts: dict[str, list[int]] = {kind: [0, 0, 0] for kind in TYPES}
    for kind, text, value in samples():
        changed, wanted = change(text), change(value)
        found = spans([finders[kind]], changed, never)
        start = changed.find(wanted)
        counts[kind][0] += 1
        counts[kind][1] += bool(found)
        counts[kind][2] += any(span.start <= start and span.end >= start + len(wanted) for span in found)
    return {kind: (number, some, whole) for kind, (number, some, whole) in counts.items()}


def false_alarms(finders: dict[str, Finder], count: int) -> dict[str, Counter[str]]:
    """By type: texts of each kind in which it is found."""
    alarms: dict[str, Counter[str]] = {kind: Counter() for kind in TYPES}
    for technical in KINDS:
        for text in texts(technical, count, seed=11):
            for kind, finder in finders.items():
                alarms[kind][technical] += bool(spans([finder], text, never))
    return alarms


def main(count: int = 1_000) -> None:
    """Print a table by type."""
    finders = {kind: personal([kind]) for kind in TYPES}
    whole = found_share(finders, lambda text: text)
    alarms = false_alarms(finders, count)
    print(f"| type | samples | found | found whole | {' | '.join(f'false alarms in {kind}' for kind in KINDS)} |")
    print("|---|---|---|---|" + "---|" * len(KINDS))
    for kind in TYPES:
        number, some, complete = whole[kind]
        shares = [f"{some / number:.1%}", f"{complete / number:.1%}"] if number else ["-", "-"]
        rates = [f"{alarms[kind][technical] / count:.1%}" for technical in KINDS]
        print(f"| `{kind}` | {number} | {' | '.join((*shares, *rates))} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
