"""Releases of the production stack's chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsr_compiler.releases.data import Table


@dataclass(frozen=True, slots=True)
class Stack:
    """A release of the chart, with the image of its router."""

    router: str


PRODUCTION_STACK: Mapping[str, Stack] = Table(
    "production-stack", lambda section, release: Stack(f"{section['image']}:v{release}")
)
