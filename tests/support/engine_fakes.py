"""Stand-ins for the tests of the engine: a model whose answers are arithmetic, and that can be held up.

Run as a program it is an engine process: ``engine_fakes.py SOCKET``.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import numpy as np

from vsr_runtime.inference.engine.batch_queues import BatchQueues, LoadedModel
from vsr_runtime.inference.engine.server import listen
from vsr_runtime.inference.errors import NoMemoryError
from vsr_runtime.inference.token_sequence import TokenSequence

DIGEST = "d" * 64
FAIL, HOLD = 666, 777
"""Token ids at which the model raises, and waits to be let go."""


class FakeModel:
    """Answers ``sum`` with a sequence's sum, and ``each`` with its ids. Remembers its batches."""

    def __init__(self, fits: int = 10**6) -> None:
        self.fits = fits
        self.batches: list[list[list[int]]] = []
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)

    def prepare(self, sequences):
        """Nothing to prepare."""
        return list(sequences)

    def run(self, batch: list[TokenSequence]):
        """Compute."""
        self.batches.append([list(sequence.ids) for sequence in batch])
        if sum(len(sequence.ids) for sequence in batch) > self.fits:
            raise NoMemoryError
        if any(FAIL in sequence.ids for sequence in batch):
            raise RuntimeError("a secret of the prompt")
        if any(HOLD in sequence.ids for sequence in batch):
            self.begun.release()
            assert self.go.wait(30)
        return [self._answer(sequence) for sequence in batch]

    def _answer(self, sequence: TokenSequence):
        answer = {"sum": np.array([sum(sequence.ids), len(sequence.ids)], np.float32)}
        if "each" in sequence.tokens_of:
            answer["each"] = np.array([[token] for token in sequence.ids], np.float32)
        return answer


async def main() -> None:
    """Serve."""
    queues = BatchQueues([LoadedModel(FakeModel(), ("sum", "each"), 64, 32)])
    server = await listen(queues, DIGEST, Path(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
