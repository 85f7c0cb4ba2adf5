"""The interface of every engine: in this process, in another process, or on another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from vsr_runtime.inference.windows import TokenLabels

__all__ = ["Engine", "TokenLabels"]


class Engine(Protocol):
    """Answers for the classifiers of a policy. Tasks are their names in ``runtime.yaml``.

    All calls end by ``until``, a time of the event loop's clock: with an answer or with an error. A caller that is
    cancelled leaves the queue.
    """

    async def classify(self, task: str, texts: Sequence[str], until: float) -> list[Mapping[str, float]]:
        """The probability of each label, for each text.

        Raises:
            OverloadedError: it would be too late, or too much is queued.
            TimeoutError: it was not done in time.
            EngineError: the engine is broken, gone or stuck.
        """

    async def label_tokens(self, task: str, texts: Sequence[str], until: float) -> list[TokenLabels]:
        """The probability of each label, for each token of each text. Raises what ``classify`` raises."""

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed: the metric to scale replicas by."""

    @property
    def healthy(self) -> bool:
        """Whether it is running and makes progress."""

    def close(self) -> None:
        """Reject new work and drop queued work."""
