"""The sentence encoder of a policy."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_schemas.encoders import ENCODERS
from vsr_schemas.runtime import MINILM, MINILM_WEIGHTS


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder that all heads, signals and caches of a policy share.

    Attributes:
        repo: Its repository.
        sha256: Of its ``model.safetensors``.
        revision: The commit at which the router's init container fetches it; None for the one that the image has.
        span: Where the policy names it; None by default.
    """

    repo: str = MINILM
    sha256: str = MINILM_WEIGHTS
    revision: str | None = None
    span: Span | None = None

    @property
    def signal_threshold(self) -> float | None:
        """The threshold of embedding signals that was measured for these weights; None if none was."""
        known = ENCODERS.get(self.repo)
        return known.signal if known is not None and known.weights == self.sha256 else None

    @property
    def pinned(self) -> tuple[tuple[str, str], ...]:
        """What must be fetched: the repository and its commit, if it is not in the image."""
        return () if self.revision is None else ((self.repo, self.revision),)
