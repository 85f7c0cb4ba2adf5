"""Builds the limits of use from ``rates`` of the settings."""

from __future__ import annotations

from dataclasses import replace
from math import floor

from vsr_runtime.decision.identity.client import ClientTest
from vsr_runtime.decision.limits.rules import Price, Rate, Rates
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import config_error
from vsr_schemas.runtime_limits import RateSettings, RatesSettings


def with_rates(program: Program, settings: RatesSettings | None, workers: int = 1) -> Program:
    """Return the program with the settings. Without settings, nothing is counted.

    Each of ``workers`` counts for itself, and allows its share of the replica's.

    Raises:
        UserError: a limit names an unknown model, or allows a process less than one.
    """
    if settings is None:
        return program
    for rate in settings.limits:
        for model in (*(rate.models or ()), *([rate.over] if rate.over else ())):
            if model not in program.models:
                where = f"rates.limits: {rate.name}"
                raise config_error(where, f"config.yaml has no model {model!r:.60}", "runtime.yaml")
    processes = settings.replicas * workers
    for rate in settings.limits if workers > 1 else ():
        if rate.unit != "dollars" and rate.amount < processes:
            problem = f"{rate.amount:,.12g} {rate.unit} are less than one for each of {processes} processes"
            raise config_error(f"rates.limits: {rate.name}", problem, "runtime.yaml")
    limits = tuple(_rate(rate, processes) for rate in settings.limits)
    prices = {
        name: Price(price.prompt, price.completion, price.cached) for name, price in (settings.prices or {}).items()
    }
    return replace(program, rates=Rates(limits, prices))


def _rate(settings: RateSettings, replicas: int) -> Rate:
    share = settings.amount / replicas
    return Rate(
        settings.name,
        frozenset(settings.per),
        settings.unit,
        settings.amount,
        share if settings.unit == "dollars" else floor(share),
        settings.window,
        tuple(ClientTest(test.attribute, frozenset(test.values)) for test in settings.clients or ()),
        None if settings.models is None else frozenset(settings.models),
        None if settings.routes is None else frozenset(settings.routes),
        settings.over,
    )
