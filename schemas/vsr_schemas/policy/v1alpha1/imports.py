"""``imports``: fragments of a policy in files of their own, each with an owner."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.kinds import FRAGMENT_KIND
from vsr_schemas.scalars import Name, Text, shown

__all__ = ["FRAGMENT_KIND", "LISTS", "MAPPINGS", "MAX_FRAGMENTS", "FragmentFile", "ImportSpec", "Imports"]
MAPPINGS = ("endpoints", "models", "classifiers", "categories", "signals", "guards")
"""Sections of names, of which each belongs to one file."""
LISTS = ("routes", "limits", "assertions", "tests")
"""Sections of entries: those of the policy come first, then those of fragments in the order of their imports."""
MAX_FRAGMENTS = 64
_FILE = r"(\.{1,2}/)*[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\.ya?ml"
FragmentFile = Annotated[
    Text,
    shown(_FILE, "a relative path with `/`, such as `./models.yaml` or `../shared/guards.yaml`"),
    Field(max_length=255),
]


class ImportSpec(PolicyModel):
    """A fragment, and who is responsible for it."""

    file: FragmentFile
    owner: Name


Imports = Annotated[list[ImportSpec], Field(max_length=MAX_FRAGMENTS)]
