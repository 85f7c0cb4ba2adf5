"""Time grows with the length of the text, not with its square, for everything that reads text of clients or models."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from time import process_time

import pytest

from support.growth import ANCHORED, BOUNDED, DECODERS, LINEAR, found
from support.guard_samples import HOSTILE
from support.properties import FUZZING
from vsr_runtime.decision.deadline import Budget, BudgetExceededError, never
from vsr_runtime.decision.guards.encoded_words import encoded_words
from vsr_runtime.decision.guards.finders import credentials, injection, patterns, personal, spans
from vsr_runtime.decision.guards.guard_input import GuardInput
from vsr_runtime.decision.guards.json_texts import json_texts, offsets, unescape
from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.sse import SseSplitter
from vsr_schemas.pii import NAMED_TYPES, PATTERN_TYPES

PIECES = (
    *('"', "\\", "\\u005c", "u005c", '\\"', "a", " ", "a ", " a", "[", "[a", "<a", '<a="', "1", "-", "- ", "\n", "\n "),
    *("\n- ", "\n[", "\na", "\n==", "a.", "a@", "://", "\r\n", "=", "[A_1", "data:", "-----BEGIN ", "-----END ", ")"),
    *("e\u0301", "\u0430", '"a":"', '"a": ', "%41", "=41", "&#", "x=", ".", ",", "[a\n", "\n#", "é", "日", "😀", "a-"),
    *("\U000e0041", "-a-", "a'", "a a a a bb ", '. "', "data:a/a;a", "http://a.b/)", "1 ", "::", "0:"),
)
FINDERS = {
    "personal": personal(PATTERN_TYPES),
    "named": personal(NAMED_TYPES),
    "credentials": credentials(),
    "injection": injection(),
}
SIZE = 4_000 if FUZZING else 800
MOST = 5
"""Factor by which four times the text may take longer."""
NOISE = 0.004
"""Seconds that a measurement may be wrong. Work that takes the square takes many times that."""


def family(piece: str, size: int) -> str:
    """A text of this size that consists of one piece."""
    return "".join(islice(cycle(piece), size))


def check(work: Callable[[str], object], piece: str, size: int = SIZE) -> None:
    """Compare the CPU time of a text with that of one of four times the length; again if it looks bad."""
    for attempt in range(6):
        short, long = (_seconds(partial(work, family(piece, length))) for length in (size, 4 * size))
        if long <= MOST * short + NOISE:
            return
        assert attempt < 5, f"{piece!r}: {size} characters take {short:.4f} s, four times as many {long:.4f} s"


def _seconds(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun


def named() -> dict[str, str]:
    """The patterns of the table, by place."""
    return {f"{file}:{name}": file for file, names in LINEAR.items() for name in names.split()}


def test_every_pattern_is_in_the_table():
    """A new one is added to it, and tried by the next test."""
    assert sorted(found()) == sorted(named())


@pytest.mark.parametrize("place", sorted(set(named()) - BOUNDED))
def test_patterns_are_linear(place):
    """Every match in a text of any family."""
    file, name = place.split(":")
    pattern = getattr(importlib.import_module("vsr_runtime." + file[:-3].replace("/", ".")), name)
    for each in pattern.values() if isinstance(pattern, dict) else pattern if isinstance(pattern, tuple) else [pattern]:
        if isinstance(each, re.Pattern):
            for piece in PIECES:
                check(partial(_match if place in ANCHORED else _matches, each), piece)


def _matches(pattern: re.Pattern, text: str) -> None:
    for _ in pattern.finditer(text if isinstance(pattern.pattern, str) else text.encode()):
        pass


def _match(pattern: re.Pattern, text: str) -> None:
    pattern.match(text if isinstance(pattern.pattern, str) else text.encode())


def document(text: str) -> str:
    """A request with this text."""
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})


def _read(text: str) -> None:
    try:
        read_body(b'{"z":' + text.encode() + b"}")
    except BodyError:
        read_body(document(text).encode())


def _texts(text: str) -> None:
    with suppress(BudgetExceededError):
        list(json_texts(document(text)))


def _split(text: str) -> None:
    splitter = SseSplitter()
    data = text.encode()
    for start in range(0, len(data), 100):
        list(splitter.feed(data[start : start + 100]))


DECODE: dict[str, Callable[[str], object]] = {
    "encoded_words": lambda text: list(encoded_words(text)),
    "unescape": unescape,
    "offsets": offsets,
    "json_texts": _texts,
    "normalise": normalise,
    "read_body": _read,
    "SseSplitter": _split,
}


@pytest.mark.parametrize("name", DECODE)
def test_decoders_are_linear(name):
    """Those that the table names."""
    assert any(place.endswith(f":{name}") for place in DECODERS)
    for piece in PIECES:
        check(DECODE[name], piece)


@pytest.mark.parametrize("name", FINDERS)
def test_finders_are_linear(name):
    """In steps of the budget, which no other process can disturb, and the policy's own patterns with them."""
    for piece in (*PIECES, *HOSTILE.values()):
        counts = []
        for size in (1_000, 4_000):
            budget = Budget(1 << 60, never)
            spans([FINDERS[name]], family(piece, size), budget)
            counts.append((1 << 60) - budget.left)
        assert counts[1] <= MOST * counts[0] + 50_000, piece


@pytest.mark.parametrize("piece", ["x", "a ", "project ", "aaab"])
def test_patterns_of_a_policy_are_linear(piece):
    """Beyond the first window, and after the matches that are searched for in all the text."""
    finder = patterns(["x(.*y)?", r"\bproject\b.*falcon", "(a+)+b", "[^ ]+ [^ ]+ [^ ]+"])
    counts = []
    for size in (16_000, 64_000):
        budget = Budget(1 << 60, never)
        spans([finder], family(piece, size), budget)
        counts.append((1 << 60) - budget.left)
    assert counts[1] <= MOST * counts[0]


@pytest.mark.skipif(not FUZZING, reason="takes a minute; the steps are counted always")
@pytest.mark.parametrize("name", FINDERS)
def test_finders_take_linear_time(name):
    """The clock agrees with the steps."""
    for piece in PIECES:
        check(lambda text: spans([FINDERS[name]], text, never), piece)


def test_reading_a_document_is_linear_in_steps():
    """Walker, media and texts together."""
    for piece in ('{"a":1},', '"word",', "[],", "1234567,", '"\\\\u005c",'):
        counts = []
        for count in (500, 2000):
            text = f'{{"z":[{piece * count}0]}}'
            budget = Budget(1 << 60, never)
            GuardInput(text, json.loads(text), budget)
            counts.append((1 << 60) - budget.left)
        assert counts[1] <= MOST * counts[0] + 3_000_000, piece
