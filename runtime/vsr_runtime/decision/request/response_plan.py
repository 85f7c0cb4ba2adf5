"""What must be done about the response to one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.apis import Api


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What guards read of a response, and what its text gets back.

    Attributes:
        api: the API that the client speaks.
        guards: those that read the response, in their order.
        restore: what stands for what: placeholders of the request and the client's own values. Never shown.
        record: for whom it is taken down, if it is one that may be kept; None where it is not.
        tell: what its headers say of the request's way; None where nothing is told, so that a model's own words stay.
    """

    api: Api
    guards: tuple[Guard, ...] = ()
    restore: Mapping[str, str] = field(default_factory=dict, repr=False)
    tell: tuple[tuple[str, str], ...] | None = None
    record: object = None

    @property
    def reads(self) -> bool:
        """Whether the body must be read."""
        return bool(self.guards or self.restore)
