"""The routes of a decision program."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vsr_runtime.decision.program.conditions import Condition
from vsr_runtime.decision.program.context_length import TokenDemand
from vsr_runtime.decision.program.effects import Effects, ModelTarget
from vsr_runtime.decision.program.fallback import Fallback
from vsr_runtime.decision.program.ordering import Standing
from vsr_runtime.decision.selection.selectors import Selection

TOTAL_SHARE = 100.0


@dataclass(frozen=True, slots=True)
class PolicyRoute:
    """One decision of the config.

    Attributes:
        name: the decision's name.
        condition: when the route applies.
        targets: models and their shares in per cent, which add up to 100; empty for a static response.
        effects: other effects on the request.
        fallback: its attempts; None if each request is sent once.
        standing: its place; None to rank it by the order of routes.
        selection: how one of several models is selected; None if it is drawn by shares.
    """

    name: str
    condition: Condition
    targets: tuple[tuple[ModelTarget, int], ...]
    effects: Effects = field(default_factory=Effects)
    fallback: Fallback | None = None
    standing: Standing | None = None
    selection: Selection | None = None

    def fits(self, demand: TokenDemand) -> bool:
        """Return whether some model of the route can hold a request. A static response always can."""
        return not self.targets or any(share and demand.fits(target) for target, share in self.targets)

    def holding(self, demand: TokenDemand) -> PolicyRoute:
        """Return the route with the models that can hold a request, if some can; their shares keep their proportions.

        The last one gets what rounding leaves.
        """
        fitting = [(target, share) for target, share in self.targets if demand.fits(target)]
        total = sum(share for _, share in fitting)
        if len(fitting) == len(self.targets) or not total:
            return self
        shares = [int(share * TOTAL_SHARE / total) for _, share in fitting]
        shares[-1] += int(TOTAL_SHARE) - sum(shares)
        return replace(self, targets=tuple((target, share) for (target, _), share in zip(fitting, shares, strict=True)))

    def target(self, point: float) -> ModelTarget:
        """Return the target for a point in [0, 100). Shares occupy that range in order."""
        end = 0
        for target, share in self.targets:
            end += share
            if point < end:
                return target
        raise ValueError(f"{point} is not in [0, {TOTAL_SHARE:.0f})")
