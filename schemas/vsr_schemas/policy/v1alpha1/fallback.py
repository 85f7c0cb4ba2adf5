"""``fallback`` and ``retry`` of a route: the models that are asked when one fails, and after which failures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Header, Int, Milliseconds

MAX_FALLBACKS = 4
MAX_ATTEMPTS = 8
FailureName = Literal["connect", "5xx", "429", "timeout", "reset"]
_WORDS = ["connect", "5xx", "429", "timeout", "reset"]
Failure = Annotated[FailureName, Field(json_schema_extra={"enum": [*_WORDS, 429], "type": ["string", "integer"]})]
"""An editor reads an unquoted ``429`` as a number."""
Fallbacks = Annotated[list[Header], Field(min_length=1, max_length=MAX_FALLBACKS)]


class RetrySpec(PolicyModel):
    """When a request is sent again: to the same model, or to those of ``fallback``.

    ``attempts`` counts all attempts of a request. ``budget`` is in per cent of the requests of the route that are in
    flight at one proxy. ``first_byte`` is in milliseconds.
    """

    attempts: Annotated[Int, Field(ge=1, le=MAX_ATTEMPTS)] | None = None
    on: Annotated[list[Failure], Field(min_length=1)] | None = None
    budget: Annotated[Int, Field(ge=0, le=100)] = 100
    first_byte: Milliseconds | None = None
