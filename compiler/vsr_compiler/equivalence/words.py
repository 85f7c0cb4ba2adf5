"""Words and patterns in texts, as the runtime finds them, and texts that have some of them and others not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice, product

from vsr_compiler.equivalence.formula import Occurs
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.patterns import compile_patterns
from vsr_runtime.decision.signals.words import compile_words

MAX_CHOICES, MAX_TRIES, MAX_REPEATS, MAX_TEXT = 3, 64, 64, 2_000
_SEPARATORS = (" ", "\n", ". ")


def occurs(item: Occurs, text: str) -> bool:
    """Return whether a word or a pattern occurs in a text. A pattern that is none does not."""
    try:
        matcher = (compile_patterns if item.pattern else compile_words)([item.text], case_sensitive=item.case_sensitive)
    except ValueError:
        return False
    return any(matcher.occurrences(text, never))


def examples(item: Occurs) -> list[str]:
    """Return texts in which a word or a pattern occurs, in several spellings if case does not matter."""
    texts = [item.text]
    if item.pattern:
        try:
            parsed = re._parser.parse(item.text)  # type: ignore[attr-defined]  # noqa: SLF001 - the parser of `re`
            texts = ["".join(_shown(part, choice) for part in parsed) for choice in range(MAX_CHOICES)]
        except (re.error, RecursionError, ValueError, OverflowError):
            return []
    if not item.case_sensitive:
        texts += [form for text in texts for form in (text.upper(), text.title())]
    return [one for one in dict.fromkeys(texts) if len(one) <= MAX_TEXT and occurs(item, one)]


def written(choices: Sequence[Sequence[str]], absent: Iterable[Occurs]) -> str | None:
    """Return a text with one of the texts of each choice and without others; None if none is found."""
    avoided = list(absent)
    for parts in islice(product(*(options[:8] for options in choices)), MAX_TRIES):
        for separator in _SEPARATORS:
            text = separator.join(dict.fromkeys(parts))
            if not any(occurs(item, text) for item in avoided):
                return text
    return None


def _shown(part: tuple[object, object], choice: int) -> str:
    """Return a short text for a part of a parsed pattern: of alternatives, the one with this number if there is one."""
    kind, value = str(part[0]), part[1]
    match kind, value:
        case ("LITERAL", int(code)):
            return chr(code)
        case ("IN", list(items)):
            return _one_of(items, choice)
        case ("BRANCH", (_, list(branches))):
            return "".join(_shown(item, choice) for item in branches[min(choice, len(branches) - 1)])
        case ("SUBPATTERN", (*_, inner)):
            return "".join(_shown(item, choice) for item in list(inner))  # type: ignore[call-overload]
        case (("MAX_REPEAT" | "MIN_REPEAT"), (int(least), _, inner)):
            if least > MAX_REPEATS:
                raise ValueError("too long")
            return "".join(_shown(item, choice) for item in list(inner)) * least  # type: ignore[call-overload]
        case _:
            return "a" if kind in {"ANY", "NOT_LITERAL"} else ""


_CLASSES = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_SPACE": "a"}


def _one_of(items: list[tuple[object, object]], choice: int) -> str:
    """Return a character of a set."""
    if str(items[0][0]) == "NEGATE":
        return next((char for char in "a0 -_.!Z" if not any(_has(item, char) for item in items[1:])), "~")
    kind, value = str(items[min(choice, len(items) - 1)][0]), items[min(choice, len(items) - 1)][1]
    if kind == "RANGE" and isinstance(value, tuple):
        return chr(min(value[0] + choice, value[1]))
    if kind == "CATEGORY":
        return _CLASSES.get(str(value), "-")
    return chr(int(str(value)))


def _has(item: tuple[object, object], char: str) -> bool:
    kind, value = str(item[0]), item[1]
    if kind == "RANGE" and isinstance(value, tuple):
        return bool(value[0] <= ord(char) <= value[1])
    if kind == "CATEGORY":
        tests = {"CATEGORY_DIGIT": char.isdigit(), "CATEGORY_SPACE": char.isspace(), "CATEGORY_WORD": char.isalnum()}
        return tests.get(str(value), True)
    return ord(char) == value
