"""The outcome of a decision program for one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.conditions import SignalKind, SignalValues
from vsr_runtime.decision.program.routes import PolicyRoute


@fast_dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one request. ``route`` is None if no condition held; the default model then serves."""

    route: PolicyRoute | None
    signals: SignalValues


@fast_dataclass(frozen=True, slots=True)
class Undecided:
    """The outcome depends on model results.

    Attributes:
        signals: the signals known so far.
        kinds: what to compute for the person's ask, or for all texts of the request.
        detectors: the texts to read, by detector.
        detects_ask: whether one of these texts is the ask by itself, which differs in each turn.
    """

    signals: SignalValues
    kinds: frozenset[SignalKind] = frozenset({"category"})
    detectors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    detects_ask: bool = False
