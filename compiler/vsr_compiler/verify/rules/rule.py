"""A rule as a value: its name, code and check, and the documentation that users read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest_index import ManifestIndex

Check = Callable[[ManifestIndex], Iterator[Diagnostic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of ``vsr-compile verify``. All texts are Markdown.

    Attributes:
        name: Letter of its family and number, such as ``L01``.
        code: The code that it reports.
        title: What it reports, as a phrase.
        purpose: What must hold.
        why: What happens otherwise.
        example: YAML or a command that the rule reports, with the reason as a comment.
        fix: What to do, as an instruction.
    """

    name: str
    code: str
    title: str
    purpose: str
    why: str
    example: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRule(Rule):
    """A rule about links between objects.

    Attributes:
        check: Yields the diagnostics of all objects of a check. It changes no object and reads no file.
    """

    check: Check
