"""Personal data signals: what has a shape or a checksum, found as guards find it."""

from __future__ import annotations

from dataclasses import dataclass, field

from vsr_runtime.decision.guards.clean_text_cache import Harmless
from vsr_runtime.decision.guards.finders import Finder, look_through, personal
from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.view import Expired, OutOfTimeError, View
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract

COST, WORK = 5, 100


@dataclass(frozen=True, slots=True)
class Pii:
    """Holds where something is found in the last turn, or in all messages. The rule's threshold is for models."""

    finder: Finder
    everywhere: bool
    cost: int = COST
    work: int = WORK
    harmless: Harmless = field(default_factory=Harmless, compare=False, repr=False)

    def holds(self, view: View, expired: Expired) -> bool:
        """Whether the request has it."""
        for text in view.history if self.everywhere else (view.turn,):
            if expired():
                raise OutOfTimeError
            if self._found(text, expired):
                return True
        return False

    def _found(self, text: str, expired: Expired) -> bool:
        return bool(self.harmless.looked(text, lambda: look_through([self.finder], normalise(text), expired)))


def build_pii(rule: contract.PiiRule) -> Pii:
    """The signal of a config's rule.

    Raises:
        ValueError: every type that patterns can find is allowed, so that nothing is left to be found.
    """
    types = PATTERN_TYPES - set(rule.pii_types_allowed or ())
    if not types:
        raise ValueError("every type that can be found without a model is allowed")
    return Pii(personal(types), rule.include_history)
