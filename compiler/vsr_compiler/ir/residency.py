"""The regions that the output of an environment may refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Residency:
    """The regions that environments of a region may refer to, by that region, which is always one of them."""

    allowed: Mapping[str, frozenset[str]]
    span: Span
