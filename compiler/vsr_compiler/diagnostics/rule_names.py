"""Names of the rules of ``vsr-compile verify``, by the code that each of them reports.

A rule has a name of its family's letter and a number, and reports exactly one code. Names and codes are never reused.
The registry of codes holds the name of each rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.diagnostics.codes import CODES

RULE_NAMES: Mapping[str, str] = MappingProxyType({name: code.rule for name, code in CODES.items() if code.rule})
"""The name of the rule that reports a code. Codes of other commands are not in it."""


@dataclass(frozen=True, slots=True)
class RuleFamily:
    """Rules that check the same kind of thing.

    Attributes:
        letter: First character of the names of its rules.
        title: Heading of the family on the reference page.
        reserved: Numbers from which the codes of further rules are taken.
    """

    letter: str
    title: str
    reserved: range

    @property
    def codes(self) -> tuple[int, ...]:
        """The numbers of the codes in use."""
        return tuple(sorted(int(code[3:]) for code, rule in RULE_NAMES.items() if rule.startswith(self.letter)))


FAMILIES = (
    RuleFamily("L", "Links between objects", range(656, 700)),
    RuleFamily("M", "Reading manifests", range(790, 800)),
    RuleFamily("S", "Schemas", range(700, 750)),
    RuleFamily("E", "Envoy configuration", range(750, 770)),
    RuleFamily("A", "API server", range(770, 790)),
)
"""The families. Rules L01 to L23 have the codes VSR401 to VSR423. From L24 on, a code is 600 plus the rule's number,
because VSR430 belongs to another family; 424 to 429 stay unused.
"""
