"""The registry of codes.

The first digit is the subject: 0 text, 1 schema, 2 meaning, 3 targets, 4 manifests, 5 output, 9 internal errors. A code
keeps its meaning, and a retired code is not used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsr_compiler.diagnostics.codes import meaning, output, syntax, targets, verify
from vsr_compiler.diagnostics.codes.model import BASE, Code, Example, Kind, Stage

__all__ = ["BASE", "CODES", "RULE_CODES", "Code", "Example", "Kind", "Stage"]

CODES: Mapping[str, Code] = MappingProxyType(
    syntax.CODES | meaning.CODES | targets.CODES | verify.CODES | output.CODES,
)
RULE_CODES: Mapping[str, str] = MappingProxyType({code.rule: name for name, code in CODES.items() if code.rule})
"""The code of each link rule, by the name of the rule. L01 to L29 have VSR401 to VSR429; L30 has VSR470."""
