"""Text of a program to tokens with positions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

BLOCKS = (
    *("MODEL", "SIGNAL", "PROJECTION", "PLUGIN", "ROUTE", "DECISION_TREE", "RECIPE", "ENTRYPOINT", "ROUTING", "TEST"),
    *("BACKEND", "GLOBAL", "SIGNAL_GROUP"),
)
"""Words that begin a block. The last ones are of older programs."""
MAX_TOKENS = 200_000
_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?)
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<arrow>->|→)
    |(?P<word>[A-Za-z_][A-Za-z0-9_\-./]*)
    |(?P<sign>[{}()\[\]:,>=])""",
    re.VERBOSE | re.DOTALL,
)
_PROGRAM = re.compile(
    r"^(?:(?:SIGNAL|PROJECTION|PLUGIN)[ \t]+[\w\"\-]+[ \t]+[\w\"\-./]+|"
    r"(?:ROUTE|MODEL|RECIPE|DECISION_TREE)[ \t]+[\w\"\-./]+|ENTRYPOINT|ROUTING)"
    r"[ \t]*[{(]",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its text (of a string, its value) and where it is."""

    kind: str
    text: str
    span: Span


def is_program(text: str) -> bool:
    """Return whether a text is a program: a block of it begins a line."""
    return _PROGRAM.search(text) is not None


def tokens(text: str, name: str) -> Iterator[Token]:
    """Yield the tokens of a program.

    Raises:
        CompileError: VSR002: a character is part of no token. VSR005: there are too many.
    """
    at, line, start, count = 0, 1, 0, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        span = Span(name, line, at - start + 1, line, at - start + 2)
        if match is None:
            hint = "Close the string." if text[at] == '"' else "Remove it."
            raise CompileError([Diagnostic("VSR002", f"unexpected character `{text[at]}`", span, hint)])
        end, kind = match.end(), str(match.lastgroup)
        breaks = text.count("\n", at, end)
        if kind != "skip":
            count += 1
            if count > MAX_TOKENS:
                raise CompileError([Diagnostic("VSR005", f"more than {MAX_TOKENS} words and signs", span)])
            column = end - start + 1 if not breaks else end - text.rfind("\n", at, end)
            whole = Span(name, line, at - start + 1, line + breaks, column)
            yield Token(kind, _unquoted(match[0]) if kind == "string" else match[0], whole)
        if breaks:
            line, start = line + breaks, text.rfind("\n", at, end) + 1
        at = end


def _unquoted(raw: str) -> str:
    try:
        return str(json.loads(raw, strict=False))
    except ValueError:
        return re.sub(
            r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), raw[1:-1], flags=re.DOTALL
        )
