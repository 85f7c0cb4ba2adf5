"""A policy that decides requests beside the active one, or a share of them in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vsr_compiler.diagnostics import Span

_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate as an environment has it. ``path`` is its file; ``share`` is in per cent of all conversations."""

    path: str
    share: float
    span: Span

    @property
    def name(self) -> str:
        """The name of its folder in the output, by its file."""
        return _OTHER.sub("-", self.path.rpartition(".")[0].lower()).strip("-")
