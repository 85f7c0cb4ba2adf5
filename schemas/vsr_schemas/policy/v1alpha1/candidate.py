"""``candidate``: another policy that decides requests beside the active one, or a share of them in its place."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.imports import FragmentFile
from vsr_schemas.scalars import Number


class CandidateSpec(PolicyModel):
    """A policy in another file. ``share`` is in per cent of all conversations."""

    policy: FragmentFile
    share: Annotated[Number, Field(ge=0, le=100)] = 0
