"""What all nouns of the policy share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


def camel(name: str) -> str:
    """``max_body`` to ``maxBody``: Python's spelling of a key to the file's."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


class Noun(BaseModel):
    """Base: unknown keys are errors, values are immutable, only the file's own spelling is taken."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, strict=True, alias_generator=camel)
