"""Routes: which model answers under which condition."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.conditions import Condition
from vsr_compiler.ir.fallback import Retry
from vsr_compiler.ir.models import Model
from vsr_compiler.ir.names import object_name
from vsr_compiler.ir.stickiness import RouteStickiness


@dataclass(frozen=True, slots=True)
class Cache:
    """The response cache of a route. ``ttl`` is in milliseconds. Without ``similarity`` only equal requests hit."""

    similarity: float | None
    ttl: int
    scope: str
    span: Span


@dataclass(frozen=True, slots=True)
class Route:
    """A condition and its answer. Routes are evaluated in their order in the policy.

    ``models`` are pairs of a model and its share in per cent; empty if ``respond`` is the answer. ``header_edits`` are
    header names with the value to set, or None to remove the header.
    """

    name: str
    when: Condition
    models: tuple[tuple[Model, int], ...]
    span: Span
    priority: int = 0
    respond: str | None = None
    reasoning: bool | None = None
    effort: str | None = None
    system_prompt: tuple[str, str] | None = None
    header_edits: tuple[tuple[str, str | None], ...] = ()
    cache: Cache | None = None
    allow_tools: tuple[str, ...] = ()
    block_tools: tuple[str, ...] = ()
    no_tools: bool = False
    max_tokens: int | None = None
    max_n: int | None = None
    block_params: tuple[str, ...] = ()
    stickiness: RouteStickiness | None = None
    retry: Retry | None = None


def chain_name(route: Route, first: Model) -> str:
    """Return the name of a route's attempts that begin with a model: a value of `x-selected-model`, as models have."""
    base = f"vsr-route/{object_name(route.name)}"
    return base if len(route.models) == 1 else f"{base}/{first.object_name}"
