"""Stand-ins for the tests of the engine: a model whose answers are arithmetic, and that can be held up.

Run as a program it is an engine process: ``engine_fakes.py SOCKET``.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import numpy as np

from vsr_runtime.inference.engine.batch_queues import Lanes, LoadedLane
from vsr_runtime.inference.engine.server import listen
from vsr_runtime.inference.errors import NoMemoryError
from vsr_runtime.inference.token_sequence import Piece

DIGEST = "d" * 64
FAIL, HOLD = 666, 777
"""Token ids at which the model raises, and waits to be let go."""


class FakeModel:
    """Answers ``sum`` with a piece's sum, and ``each`` with its ids. Remembers its batches."""

    def __init__(self, fits: int = 10**6) -> None:
        self.fits = fits
        self.batches: list[list[list[int]]] = []
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)

    def prepare(self, pieces):
        """Nothing to prepare."""
        return list(pieces)

    def run(self, batch: list[Piece]):
        """Compute."""
        self.batches.append([list(piece.ids) for piece in batch])
        if sum(len(piece.ids) for piece in batch) > self.fits:
            raise NoMemoryError
        if any(FAIL in piece.ids for piece in batch):
            raise RuntimeError("a secret of the prompt")
        if any(HOLD in piece.ids for piece in batch):
            self.begun.release()
            assert self.go.wait(30)
        return [self._answer(piece) for piece in batch]

    def _answer(self, piece: Piece):
        answer = {"sum": np.array([sum(piece.ids), len(piece.ids)], np.float32)}
        if "each" in piece.tokens_of:
            answer["each"] = np.array([[token] for token in piece.ids], np.float32)
        return answer


async def main() -> None:
    """Serve."""
    lanes = Lanes([LoadedLane(FakeModel(), ("sum", "each"), 64, 32)])
    server = await listen(lanes, DIGEST, Path(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
