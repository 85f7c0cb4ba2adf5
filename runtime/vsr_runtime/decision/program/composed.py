"""A signal that counts only if something else holds, too."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_runtime.decision.program.conditions import (
    AllConditions,
    Condition,
    DerivedCondition,
    SignalCondition,
    SignalName,
    SignalValues,
)


@dataclass(frozen=True, slots=True)
class ComposedCondition(DerivedCondition):
    """Holds if the signal and its composer do. How certain that is depends on the signal alone."""

    signal: SignalCondition
    composer: Condition

    @property
    def name(self) -> SignalName:
        """The type and name of the signal."""
        return self.signal.name

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The signal and its composer."""
        return (self.signal, self.composer)

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether both hold; None if that is unknown."""
        return AllConditions(self.parts).truth(signals)

    def confidence(self, signals: SignalValues) -> float:
        """Return how certain the signal is."""
        return signals.confidence(self.signal.name)
