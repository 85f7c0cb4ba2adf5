"""Names of the rules of ``vsr-compile verify``, by the code that each of them reports.

A rule has a name of its family's letter and a number, and reports exactly one code. Names and codes are never reused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RuleFamily:
    """Rules that check the same kind of thing.

    Attributes:
        letter: First character of the names of its rules.
        title: Heading of the family on the reference page.
        codes: Numbers of the codes in use, in the order of the rules: the first belongs to rule 01.
        reserved: Numbers from which the codes of further rules are taken.
    """

    letter: str
    title: str
    codes: tuple[int, ...]
    reserved: range


FAMILIES = (
    RuleFamily("L", "Links between objects", tuple(range(401, 424)), range(624, 700)),
    RuleFamily("M", "Reading manifests", tuple(range(430, 434)), range(790, 800)),
    RuleFamily("S", "Schemas", (*range(440, 451), 453, 454), range(700, 750)),
    RuleFamily("E", "Envoy configuration", (455, 456), range(750, 770)),
    RuleFamily("A", "API server", (460, 461), range(770, 790)),
)
"""The families. Rules L01 to L23 have the codes VSR401 to VSR423. From L24 on, a code is 600 plus the rule's number,
because VSR430 belongs to another family; 424 to 429 stay unused.
"""

RULE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        f"VSR{code}": f"{family.letter}{number:02}"
        for family in FAMILIES
        for number, code in enumerate(family.codes, start=1)
    }
)
"""The name of the rule that reports a code. Codes of other commands are not in it."""
