"""The limits of a policy, and what a request claims of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.identity.client import Client, Tests
from vsr_schemas.identity import TEAM, USER

DEFAULT_ROUTE = "default"
"""The route of a request that no route matches."""
_MILLION = 1_000_000


@fast_dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request: of its prompt, of its completions, and those of the prompt in the model's prefix cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens."""

    prompt: float
    completion: float
    cached: float

    def of(self, usage: Usage) -> float:
        """Return the cost of a request."""
        cached = min(usage.cached, usage.prompt)
        tokens = (usage.prompt - cached) * self.prompt + cached * self.cached + usage.completion * self.completion
        return tokens / _MILLION


@fast_dataclass(frozen=True, slots=True)
class Claim:
    """What a request for a model counts as.

    Attributes:
        api: its API.
        models: the model, and those that may answer in its place.
        route: its route; None if the client named the model.
        client: who sends it; None if nobody is authenticated.
        estimate: the tokens that it may use, as far as its text says.
        movable: whether it may go to another model.
        cors: headers of a refusal, for a browser.
    """

    api: Api
    models: tuple[str, ...]
    route: str | None
    client: Client | None = field(default=None, repr=False)
    estimate: Usage = field(default_factory=Usage)
    movable: bool = True
    cors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """One limit. ``share`` is what this process allows in a window of ``window`` seconds.

    ``amount`` is the limit of all replicas. ``clients`` are tests that must all be true. ``models`` and ``routes`` are
    None for any. ``over`` is the model for requests above the limit; None if they are refused.
    """

    name: str
    per: frozenset[str]
    unit: Literal["tokens", "requests", "dollars"]
    amount: float
    share: float
    window: int
    clients: Tests = ()
    models: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    over: str | None = None

    def counts(self, claim: Claim, model: str) -> bool:
        """Return whether it counts a request for a model."""
        return (
            model != self.over
            and (self.models is None or model in self.models)
            and (self.routes is None or claim.route in self.routes)
            and all(claim.client is not None and test.holds(claim.client) for test in self.clients)
        )

    def key(self, claim: Claim, model: str, address: bytes) -> bytes:
        """Return what has its own count. Clients without a team, and senders without an address, share one each."""
        client, parts = claim.client, list[object]()
        if "team" in self.per:
            parts.append(None if client is None else client.key(TEAM))
        if "client" in self.per:
            parts.append(address if client is None else client.key(USER))
        if "key" in self.per:
            parts.append(None if client is None else client.credential)
        if "model" in self.per:
            parts.append(model)
        if "route" in self.per:
            parts.append(claim.route)
        return sha256(repr(parts).encode("utf-8", "replace")).digest()[:16]


@dataclass(frozen=True, slots=True)
class Rates:
    """All limits in the order in which they are applied, and the prices of models."""

    limits: tuple[Rate, ...]
    prices: Mapping[str, Price] = field(default_factory=dict)

    @property
    def reads_usage(self) -> bool:
        """Whether some limit depends on the tokens of responses."""
        return any(rate.unit != "requests" for rate in self.limits)

    @property
    def moves(self) -> bool:
        """Whether some limit moves requests to another model."""
        return any(rate.over is not None for rate in self.limits)

    def cost(self, rate: Rate, models: tuple[str, ...], usage: Usage) -> float:
        """Return what tokens count as for a limit: of several models that may have answered, as the dearest."""
        if rate.unit == "tokens":
            return usage.prompt + usage.completion
        if rate.unit == "requests":
            return 1
        return max((price.of(usage) for model in models if (price := self.prices.get(model))), default=0)
