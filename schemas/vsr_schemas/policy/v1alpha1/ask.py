"""``ask``: how the person's own words are distinguished from what a client puts around them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Text
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape

Pattern = Annotated[Text, Field(min_length=1)]


class MarkerSpec(PolicyModel):
    """A pair of patterns around a block that a client of yours writes: around context, or around the ask itself."""

    open: Pattern
    close: Pattern
    holds: Literal["context", "ask"] = "context"


class AskSpec(PolicyModel):
    """How the ask is found: the last text of a person, without what an agent or a front end puts around it.

    ``profiles`` are the programs whose markers are known: all (``builtin``), some by name, or ``none``. Blocks, labels
    and headings of other programs are recognised by their structure in any case. ``markers`` are further pairs of
    patterns in RE2's syntax.
    """

    profiles: Annotated[
        Annotated[Literal["builtin", "none"], AsText] | Annotated[list[Text], Field(min_length=1), AsList],
        by_shape(TEXT, LIST),
    ] = "builtin"
    markers: Annotated[list[MarkerSpec], Field(max_length=64)] = []
