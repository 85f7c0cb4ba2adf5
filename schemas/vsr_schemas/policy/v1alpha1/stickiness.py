"""``stickiness``: how the requests of a conversation stay with a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.classification import Probability
from vsr_schemas.scalars import Header, HeaderName

Mode = Literal["conversation", "escalate", "none"]


class StickinessSpec(PolicyModel):
    """How the requests of a conversation stay with a model. Only the request itself is read, nothing is stored.

    ``order`` are the models of ``mode: escalate``, the lowest first. ``margin`` is how much more probable the category
    of a new ask must be than the present one.
    """

    mode: Mode = "conversation"
    order: Annotated[list[Header], Field(min_length=1)] | None = None
    margin: Probability | None = None
    key_header: HeaderName | None = None
    key: Literal["user", "team", "tenant"] | None = None
    state_header: HeaderName | None = None


class RouteStickinessSpec(PolicyModel):
    """How a conversation leaves this route, where that differs from the policy's ``stickiness``."""

    mode: Mode
    margin: Probability | None = None
