"""``router.encoder``: the sentence encoder of a policy."""

from __future__ import annotations

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Commit, FileHash, Repository


class EncoderSpec(PolicyModel):
    """An encoder of the table in ``vsr_schemas.encoders``: its weights, and the commit that has them."""

    repo: Repository
    revision: Commit
    sha256: FileHash
