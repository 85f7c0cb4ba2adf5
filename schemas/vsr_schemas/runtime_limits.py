"""``rates`` of ``router/runtime.yaml``: how much may be used in a window of time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vsr_schemas.base import StrictModel
from vsr_schemas.runtime_identity import ClientTestSettings

WINDOWS = {"1m": 60, "1h": 3600, "1d": 86_400, "30d": 2_592_000}
"""Seconds of each window. Windows begin at multiples of their length since 1970, at every replica."""


class RateSettings(StrictModel):
    """One limit: an ``amount`` of a ``unit`` in a ``window`` of seconds, for each value of ``per``.

    It counts requests of clients that pass all tests of ``clients``, to ``models``, by ``routes``; without them, all.
    Requests above it go to the model ``over``, which it does not count, or are refused.
    """

    name: str
    per: list[Literal["team", "key", "model", "route", "client"]] = Field(min_length=1)
    clients: list[ClientTestSettings] | None = None
    models: list[str] | None = Field(default=None, min_length=1)
    routes: list[str] | None = Field(default=None, min_length=1)
    unit: Literal["tokens", "requests", "dollars"]
    amount: float = Field(gt=0)
    window: int = Field(gt=0)
    over: str | None = None


class PriceSettings(StrictModel):
    """The price of a million tokens: of prompts, of completions, and of prompt tokens in the model's prefix cache."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    cached: float = Field(ge=0)


class RatesSettings(StrictModel):
    """All limits. Each of ``replicas`` allows its share. ``prices`` are those of models."""

    replicas: int = Field(default=1, ge=1)
    limits: list[RateSettings] = Field(min_length=1)
    prices: dict[str, PriceSettings] | None = None
