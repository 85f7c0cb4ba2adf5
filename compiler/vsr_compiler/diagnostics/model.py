"""What went wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from vsr_compiler.diagnostics.codes import CODES
from vsr_compiler.diagnostics.rule_names import RULE_NAMES


class Severity(IntEnum):
    """How much a finding weighs. Only an error stops a compile."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The severity as messages spell it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a text file. Lines and columns count from 1; columns count characters. ``end_column`` is exclusive.

    Line 0 stands for the file as a whole, for what has no place inside it.
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
        hint: What to do about it; empty only where the message says it already.
        severity: Taken from the registry unless the rule says otherwise.
        hides: Whether what stands at the place must not be shown, as logs are kept and read by many.
    """

    code: str
    message: str
    span: Span
    hint: str = ""
    severity: Severity | None = None
    hides: bool = False

    @property
    def level(self) -> Severity:
        """The severity that counts: the finding's own or its code's."""
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
        """Sort key: by place, then code, then text."""
        return (self.span, self.code, self.message)


MAX_FINDINGS = 100
"""Who mends a hundred runs the command again anyway; a hostile file could hold a million."""


class CompileError(Exception):
    """A compile that cannot go on, with the findings of the stage that failed: ``MAX_FINDINGS`` and a note at most."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        found = sorted(diagnostics, key=lambda d: d.order)
        self.diagnostics = found[:MAX_FINDINGS]
        if len(found) > MAX_FINDINGS:
            self.diagnostics.append(more(len(found) - MAX_FINDINGS, found[MAX_FINDINGS].span))
        super().__init__("; ".join(d.message for d in self.diagnostics))


def more(left: int, span: Span) -> Diagnostic:
    """Says how many findings are not shown, at the place of the first of them."""
    return Diagnostic("VSR011", f"{left} or more findings from here on are not shown", span, "Mend the others first.")
