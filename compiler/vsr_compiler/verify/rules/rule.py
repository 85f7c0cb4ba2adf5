"""A rule as a value: its name, its check, and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import CODES, Diagnostic
from vsr_compiler.diagnostics.codes import Code
from vsr_compiler.verify.manifest_index import ManifestIndex

Check = Callable[[ManifestIndex], Iterator[Diagnostic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of ``vsr-compile verify``.

    Attributes:
        name: Letter of its family and number, such as ``L01``.
        code: The code that it reports. Its entry in the registry has the title, reason, example and fix of the rule.
        purpose: What must hold, as Markdown.
    """

    name: str
    code: str
    purpose: str

    @property
    def entry(self) -> Code:
        """The entry of its code in the registry."""
        return CODES[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRule(Rule):
    """A rule about links between objects.

    Attributes:
        check: Yields the diagnostics of all objects of a check. It changes no object and reads no file.
    """

    check: Check
