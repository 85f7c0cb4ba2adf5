"""Reads labelled prompts: one JSON object per line, ``{"prompt": …, "category": …}``. Other keys are ignored.

For the labels of a classifier the key is ``label``.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.heads.inputs import OTHER

MAX_LINES = 100_000
_MISSING = object()


@dataclass(frozen=True, slots=True)
class LabelledPrompt:
    """A prompt and its category. ``line`` counts from 1, and is 0 if unknown."""

    prompt: str
    category: str
    line: int = 0


def read_labelled_prompts(
    text: str, name: str, categories: Collection[str], key: str = "category"
) -> tuple[list[LabelledPrompt], list[Diagnostic]]:
    """Return the labelled prompts of a file, and diagnostics about its lines.

    Args:
        text: The content. Empty lines are ignored.
        name: Its name, for messages.
        categories: The categories of the policy; ``other`` is always allowed.
        key: The key of the category.
    """
    cases: list[LabelledPrompt] = []
    diagnostics: list[Diagnostic] = []
    known = {*categories, OTHER}
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return [], [
            Diagnostic("VSR005", f"the data has more than {MAX_LINES} lines", Span(name), "Evaluate it in parts.")
        ]
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        result = _case(line, number, name, known, key)
        if isinstance(result, LabelledPrompt):
            cases.append(result)
        else:
            diagnostics.append(result)
    if not cases and not diagnostics:
        diagnostics.append(Diagnostic("VSR272", "the data has no line to evaluate", Span(name), _form(key)))
    return cases, diagnostics


def _form(key: str) -> str:
    return f'Write lines such as {{"prompt": "What is 2+2?", "{key}": "math"}}.'


def _case(line: str, number: int, name: str, known: Collection[str], kind: str) -> LabelledPrompt | Diagnostic:
    def wrong(code: str, message: str, column: int, hint: str = "") -> Diagnostic:
        hint = hint or _form(kind)
        return Diagnostic(code, message, Span(name, number, column, number, column + 1), hint)

    try:
        data = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        reason = f"{error.msg.lower()}" if isinstance(error, json.JSONDecodeError) else "it is too deep"
        column = error.colno if isinstance(error, json.JSONDecodeError) else 1
        return wrong("VSR270", f"the line is not JSON: {reason}", column)
    if not isinstance(data, dict):
        return wrong("VSR270", "the line is not a JSON object", 1)
    for key in ("prompt", kind):
        value = data.get(key, _MISSING)
        if value is _MISSING:
            return wrong("VSR270", f"the line has no `{key}`", 1)
        if not isinstance(value, str) or not value.strip():
            return wrong("VSR270", f"`{key}` is not a non-empty text", _column(line, key))
    if data[kind] not in known:
        hint = suggest(data[kind], sorted(known))
        return wrong("VSR271", f"{kind} `{data[kind]:.80}` is not defined", _column(line, kind), hint)
    return LabelledPrompt(data["prompt"], data[kind], number)


def _column(line: str, key: str) -> int:
    """Return the column of a key's value; 1 if the key is written with escapes."""
    at = line.find(f'"{key}"')
    if at < 0:
        return 1
    rest = line[at + len(key) + 2 :]
    return at + len(key) + 3 + len(rest) - len(rest.lstrip(" \t:"))
