"""``autoscaling``: the bounds within which a component scales pods."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Int, Milliseconds, Text


class AutoscalingSpec(PolicyModel):
    """The bounds of a component that scales the pods. ``queue`` is the number of waiting requests for each pod.

    ``scale_down_after`` (milliseconds) is how long fewer pods must have been enough before some are removed; Kubernetes
    accepts whole seconds up to an hour.
    """

    min: Annotated[Int, Field(ge=1, le=1000)] | None = None
    max: Annotated[Int, Field(ge=1, le=1000)]
    queue: Annotated[Int, Field(ge=1, le=100_000)] = 4
    scale_down_after: Annotated[Milliseconds, Field(ge=1000, le=3_600_000)] | None = None
    prometheus: (
        Annotated[Text, Field(max_length=1024, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\w./-]*)?$")] | None
    ) = None

    @model_validator(mode="after")
    def _seconds(self) -> AutoscalingSpec:
        if self.scale_down_after is not None and self.scale_down_after % 1000:
            raise PydanticCustomError("one_of", "`scaleDownAfter` is a whole number of seconds")
        return self
