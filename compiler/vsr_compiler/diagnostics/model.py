"""A finding: what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from vsr_compiler.diagnostics.codes import CODES
from vsr_compiler.diagnostics.rule_names import RULE_NAMES


class Severity(IntEnum):
    """The severity of a finding. Only an error stops a compile."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The severity in messages."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A position in a text file. Lines and columns count from 1; columns count characters. ``end_column`` is exclusive.

    Line 0 means the file as a whole.
    """

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: A key of ``CODES``, such as ``VSR201``. Codes are never reused.
        message: What is wrong, in one sentence without a full stop.
        span: Where.
        hint: How to fix it; empty if the message already says so.
        severity: Replaces the severity of the registry.
        hides: Whether the text at the position must not be shown, because it is a secret.
    """

    code: str
    message: str
    span: Span
    hint: str = ""
    severity: Severity | None = None
    hides: bool = False

    @property
    def level(self) -> Severity:
        """The severity of the finding itself, or else that of its code."""
        return self.severity if self.severity is not None else Severity[CODES[self.code].severity.upper()]

    @property
    def rule(self) -> str:
        """The name of the verify rule that reports the code, such as ``L02``; empty for codes of other commands."""
        return RULE_NAMES.get(self.code, "")

    @property
    def label(self) -> str:
        """The code, with the rule's name if there is one: ``VSR402 [L02]``."""
        return f"{self.code} [{self.rule}]" if self.rule else self.code

    @property
    def order(self) -> tuple[Span, str, str]:
        """Sort key: position, code, message."""
        return (self.span, self.code, self.message)


MAX_FINDINGS = 100
"""Findings that are shown at most. A hostile file could cause a million."""


class CompileError(Exception):
    """A stage failed. Carries its findings, at most ``MAX_FINDINGS`` and a note."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        found = sorted(diagnostics, key=lambda d: d.order)
        self.diagnostics = found[:MAX_FINDINGS]
        if len(found) > MAX_FINDINGS:
            self.diagnostics.append(more(len(found) - MAX_FINDINGS, found[MAX_FINDINGS].span))
        super().__init__("; ".join(d.message for d in self.diagnostics))


def more(left: int, span: Span) -> Diagnostic:
    """Return the finding about findings that are not shown, at the position of the first of them."""
    return Diagnostic("VSR011", f"{left} or more further findings are not shown", span, "Fix the others first.")
