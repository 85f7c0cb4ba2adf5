"""Limits: how much may be used in a window of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.identity import ClientTest
from vsr_compiler.ir.models import Model
from vsr_schemas.policy.v1alpha1.limits import Subject

Unit = Literal["tokens", "requests", "dollars"]


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount of a unit in a window, for each combination of ``per``.

    It counts requests of clients that pass all tests, to one of ``models`` by one of ``routes``; None means any.
    ``over`` is the model for requests above the limit; None if they are refused. ``by_gateway`` is whether the gateway
    counts for all of its proxies and replicas of the router; else each replica allows its share.
    """

    name: str
    per: tuple[Subject, ...]
    clients: tuple[ClientTest, ...]
    models: tuple[Model, ...] | None
    routes: tuple[str, ...] | None
    unit: Unit
    amount: float
    window: str
    over: Model | None
    span: Span
    by_gateway: bool = False

    def counts(self, model: Model, route: str | None) -> bool:
        """Return whether it counts requests to a model by a route; None for a request that takes none.

        Those to the model for requests above the limit do not count.
        """
        if self.over is not None and model.name == self.over.name:
            return False
        if self.models is not None and all(model.name != other.name for other in self.models):
            return False
        return self.routes is None or route in self.routes

    @property
    def words(self) -> str:
        """The limit in words: ``1000 tokens per team in 1m``."""
        return f"{self.amount:,.12g} {self.unit} per {' and '.join(self.per)} in {self.window}"
