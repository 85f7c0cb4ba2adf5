"""How the person's ask is distinguished from what a client puts around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_compiler.diagnostics import Span

Reads = Literal["ask", "request"]
"""What a signal or the category classifier reads: the person's ask, or all texts of the request."""


@dataclass(frozen=True, slots=True)
class AskMarker:
    """A pair of patterns around context, or around the ask."""

    open: str
    close: str
    holds: Literal["context", "ask"]


@dataclass(frozen=True, slots=True)
class AskRules:
    """The known programs, and the policy's own markers.

    ``profiles`` is ``builtin`` for all programs, or their names. ``span`` is None if the policy says nothing.
    """

    profiles: Literal["builtin"] | tuple[str, ...] = "builtin"
    markers: tuple[AskMarker, ...] = ()
    span: Span | None = None
