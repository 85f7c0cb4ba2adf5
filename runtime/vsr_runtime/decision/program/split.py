"""Draws the share of a split."""

from __future__ import annotations

from hashlib import blake2b

from vsr_runtime.decision.program.routes import TOTAL_SHARE

_DIGEST_SIZE = 6
"""48 bits: a quotient of such numbers is exact as a float, and never rounds up to the end of the range."""


def split_point(seed: bytes) -> float:
    """Return a number in [0, 100), uniformly distributed over seeds. The same seed gives the same number."""
    number = int.from_bytes(blake2b(seed, digest_size=_DIGEST_SIZE).digest(), "big")
    return number / (1 << 8 * _DIGEST_SIZE) * TOTAL_SHARE
