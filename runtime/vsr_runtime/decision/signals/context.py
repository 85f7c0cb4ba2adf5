"""Context signals: how long the whole conversation is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from vsr_runtime.decision.signals.base import Bounds
from vsr_runtime.decision.view import Expired, View
from vsr_schemas.routerconfig import v0_4_0 as contract

_TOKENS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KkMm]?)")
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class Context:
    """Holds where the estimated tokens lie within bounds."""

    bounds: Bounds
    cost: int = 1
    work: int = 0

    def holds(self, view: View, expired: Expired) -> bool:  # noqa: ARG002 - at once
        """Whether the request has it."""
        return view.tokens in self.bounds


def build_context(rule: contract.ContextRule) -> Context:
    """The signal of a config's rule.

    Raises:
        ValueError: it has no bound, one that is no number of tokens, or a minimum above its maximum.
    """
    if rule.min_tokens is None and rule.max_tokens is None:
        raise ValueError("it has neither min_tokens nor max_tokens")
    low = 0.0 if rule.min_tokens is None else tokens(rule.min_tokens)
    high = math.inf if rule.max_tokens is None else tokens(rule.max_tokens)
    if low > high:
        raise ValueError("min_tokens is greater than max_tokens")
    return Context(Bounds(low, high))


def tokens(text: str) -> float:
    """A number of tokens such as ``8192``, ``8K`` (8,000) or ``2.5M`` (2,500,000).

    Raises:
        ValueError: it is none.
    """
    match = _TOKENS.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r:.40} is no number of tokens; write 8192, 8K or 2.5M")
    return float(match[1]) * _UNITS[match[2].upper()]
