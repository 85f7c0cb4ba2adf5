"""Draws a number for a request, always the same one, so that a split keeps a request where it was."""

from __future__ import annotations

from hashlib import blake2b

from vsr_runtime.decision.program.program import WHOLE

_BYTES = 6
"""48 bits: a quotient of such numbers is exact as a float, and never rounds up to the end of the range."""


def draw(seed: bytes) -> float:
    """A number of [0, 100), spread evenly over all seeds."""
    number = int.from_bytes(blake2b(seed, digest_size=_BYTES).digest(), "big")
    return number / (1 << 8 * _BYTES) * WHOLE
