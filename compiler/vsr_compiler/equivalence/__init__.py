"""Proves that two router configs decide every request alike, or shows a request that they decide differently."""

from __future__ import annotations

from vsr_compiler.equivalence.compiled import policy_side
from vsr_compiler.equivalence.declared import Declared
from vsr_compiler.equivalence.prove import Proof, prove
from vsr_compiler.equivalence.side import IncomparableError, Side, read_side

__all__ = ["Declared", "IncomparableError", "Proof", "Side", "policy_side", "prove", "read_side"]
