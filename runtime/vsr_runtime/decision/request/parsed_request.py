"""A request that was read: what a decision, its guards and the way out need of it."""

from __future__ import annotations

from vsr_runtime.decision.fast_dataclass import light
from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.body import Body
from vsr_runtime.decision.request.caller import Caller
from vsr_runtime.decision.request.verdict import Inquiry
from vsr_runtime.decision.view import View


@light(frozen=True, slots=True)
class Asked:
    """A request that can be read.

    Attributes:
        body: what the client sent.
        api: what it came by.
        seed: what its split is drawn by.
        named: the model that the client named; None where the choice is left to the router.
        view: what the choice looks at; None where the model is named.
        inquiry: what its guards find; None where there are none.
        told: whether the client is told what was chosen.
        caller: who asks; None where no answer is kept.
    """

    body: Body
    api: Api
    seed: bytes
    named: str | None = None
    view: View | None = None
    inquiry: Inquiry | None = None
    told: bool = False
    caller: Caller | None = None
