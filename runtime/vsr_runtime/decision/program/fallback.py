"""The attempts of a request: the models that are asked in their order when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.program.effects import ModelTarget

SEPARATOR = " "
"""Between the models of a chain in a header. The names have no blanks."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """The attempts of a decision.

    Attributes:
        routes: the names by which the gateway knows them, instead of a model's; by the model that is asked first.
        decision: the decision's name.
        models: the names of the models that are asked after the decision's own.
        attempts: how many attempts there are at most.
        targets: all models that an attempt can reach, by name. Their edits remove those for the others.
    """

    routes: Mapping[str, str]
    decision: str
    models: tuple[str, ...]
    attempts: int
    targets: Mapping[str, ModelTarget]

    def target(self, chain: Sequence[str], attempt: int) -> ModelTarget | None:
        """Return the model of an attempt, which counts from 1; None if it is none of the decision's."""
        return self.targets.get(chain[(attempt - 1) % len(chain)]) if chain and attempt > 0 else None
