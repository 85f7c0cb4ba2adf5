"""Fallback: the models that are asked when the model of a route fails, and after which failures."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.models import Model
from vsr_schemas.policy.v1alpha1.fallback import FailureName


@dataclass(frozen=True, slots=True)
class Retry:
    """How a request of a route is sent again after a failure, before the client has got any of the response.

    ``models`` are asked in this order after the route's own; then the order begins again. ``attempts`` counts all of
    them. ``budget`` is in per cent of the route's requests in flight at a proxy. ``first_byte`` is in milliseconds
    until a response must have begun; None without a limit.
    """

    models: tuple[Model, ...]
    attempts: int
    on: tuple[FailureName, ...]
    budget: int
    first_byte: int | None
    span: Span
