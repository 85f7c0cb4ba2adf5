"""``residency``: the regions that the output of an environment may refer to, by the environment's region."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vsr_schemas.scalars import Label
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape

Regions = Annotated[
    Annotated[Label, AsText] | Annotated[list[Label], Field(min_length=1, max_length=64), AsList], by_shape(TEXT, LIST)
]
Residency = Annotated[dict[Label, Regions], Field(min_length=1, max_length=64)]
