"""A request that the active policy or a candidate decides: which of them is drawn once its body is known."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_runtime.decision.request.states import AwaitsBody, State
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.policy_metrics import Policy


@dataclass(slots=True)
class Drawn:
    """A request that is drawn once its body is known.

    Attributes:
        candidate: the candidate.
        state: its state before the body; None if it does not accept the headers.
        active: the active policy.
        active_state: its state before the body.
        policy: the policy that decides; None until the request was drawn.
    """

    candidate: Generation
    state: AwaitsBody | None
    active: Generation
    active_state: State
    policy: Policy | None = None
