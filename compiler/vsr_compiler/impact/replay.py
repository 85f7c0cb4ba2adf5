"""Replays traffic through two policies: in several processes, resumable, with bounded memory."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial

from vsr_compiler.impact.decide import Deciders, Side
from vsr_compiler.impact.fate import Fate
from vsr_compiler.impact.formats import requests_of
from vsr_compiler.impact.reader import Chunk, chunks
from vsr_compiler.impact.request import TrafficRequest, Unusable
from vsr_compiler.impact.sources import Source, TrafficError
from vsr_compiler.impact.tally import Tally, cost, estimated_usage, excerpt

AHEAD = 4
"""Chunks that are read ahead for each process."""
LONG = "is a line of more than 48 MiB"
NOT_JSON = "is not JSON"


@dataclass(frozen=True, slots=True)
class Options:
    """What a replay does.

    Attributes:
        model: The name by which every request asks for a model; None for its own.
        texts: Whether samples have texts.
    """

    model: str | None = None
    texts: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """What a replay has done: the chunks, the tally of them, and where they end in the files.

    Attributes:
        file: The number of the file that is being read.
        chunks: The chunks of it that are done.
        tally: What was counted, in all files.
        end: The bytes of all files up to there.
    """

    file: int
    chunks: int
    tally: Tally
    end: int


Engine = Callable[[Sequence[Source], tuple[int, int], Side, Side, Options], Iterator[tuple[Chunk, Tally]]]
"""Decides the chunks of some files, from one on, and yields each with its tally, in the order of the traffic."""


class Replay:
    """Decides chunks by both policies. Not for several threads."""

    def __init__(self, old: Side, new: Side, options: Options) -> None:
        """Open both policies.

        Raises:
            CompileError: VSR506 if a classifier cannot be loaded.
        """
        self._deciders = Deciders(old, new, options.model)
        self._old, self._new, self._options = old, new, options

    def tally(self, chunk: Chunk, file: str) -> Tally:
        """Return the counts of a chunk of a file."""
        tally, requests = Tally(), list[tuple[str, TrafficRequest]]()
        for offset, line in enumerate(chunk.lines):
            place = f"{file}:{chunk.line + offset}"
            for part, found in enumerate(_found(line)):
                if isinstance(found, Unusable):
                    tally.skip(found.reason, place)
                else:
                    number = found.id or (f"{place}.{part}" if part else place)
                    requests.append((number, found))
        decided = self._deciders.decide(requests)
        for (number, request), (old, new) in zip(requests, decided, strict=True):
            tally.add(number, request, old, new, excerpt(request.body) if self._options.texts else "")
            if old.decided and new.decided:
                self._count_cost(tally, request, old, new)
        return tally

    def _count_cost(self, tally: Tally, request: TrafficRequest, old: Fate, new: Fate) -> None:
        if not (self._old.prices or self._new.prices):
            return
        usage = request.usage or estimated_usage(len(json.dumps(request.body, ensure_ascii=False)))
        before = cost(old, usage, self._old.prices, cached=True)
        after = cost(new, usage, self._new.prices, cached=True)
        if before is None or after is None:
            tally.counts["cost", "unpriced"] += 1
            return
        if old.model == new.model:  # what is cached stays cached
            after = (after[0], after[0])
        tally.add_cost(request, before, after, estimated=request.usage is None)


def _found(line: bytes | None) -> Iterator[TrafficRequest | Unusable]:
    if line is None:
        yield Unusable(LONG)
        return
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        yield Unusable(NOT_JSON)
        return
    yield from requests_of(value)


def replay(
    paths: Sequence[Source],
    old: Side,
    new: Side,
    options: Options,
    *,
    jobs: int,
    done: Step | None = None,
    engine: Engine | None = None,
) -> Iterator[Step]:
    """Yield what is done after each chunk, in the order of the traffic.

    Args:
        paths: Files of traffic.
        old: The policy of before.
        new: The policy of after.
        options: What the replay does.
        jobs: The number of processes; 1 for this one alone.
        done: Where an earlier replay ended.
        engine: Decides the chunks in place of processes of this machine.

    Raises:
        CompileError: VSR506 if a classifier cannot be loaded.
        TrafficError: A file cannot be read.
    """
    so_far = done or Step(0, 0, Tally(), 0)
    run = engine or (_alone if jobs == 1 else partial(_pooled, jobs=jobs))
    for chunk, tally in run(paths, (so_far.file, so_far.chunks), old, new, options):
        so_far.tally.merge(tally)
        so_far = Step(chunk.file, chunk.number + 1, so_far.tally, chunk.end)
        yield so_far


def _alone(
    paths: Sequence[Source], begin: tuple[int, int], old: Side, new: Side, options: Options
) -> Iterator[tuple[Chunk, Tally]]:
    here = Replay(old, new, options)
    for chunk in chunks(paths, begin):
        yield chunk, here.tally(chunk, str(paths[chunk.file]))


_worker: list[Replay] = []
"""The replay of a worker process."""


def _begin(old: Side, new: Side, options: Options) -> None:
    """Prepare a worker process. An interruption is for the parent, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.append(Replay(old, new, options))


def _work(chunk: Chunk, name: str) -> Tally:
    return _worker[0].tally(chunk, name)


def _pooled(
    paths: Sequence[Source], begin: tuple[int, int], old: Side, new: Side, options: Options, *, jobs: int
) -> Iterator[tuple[Chunk, Tally]]:
    Replay(old, new, options)  # what cannot be loaded is reported by this process
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _begin, (old, new, options)) as pool:
        waiting: deque[tuple[Chunk, Future[Tally]]] = deque()
        try:
            for chunk in chunks(paths, begin):
                waiting.append((chunk, pool.submit(_work, chunk, str(paths[chunk.file]))))
                if len(waiting) >= AHEAD * jobs:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BrokenProcessPool:
            raise TrafficError("a worker process ended unexpectedly; try --jobs 1") from None
        finally:
            pool.shutdown(cancel_futures=True)


def default_jobs() -> int:
    """Return the number of cores that this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return max(1, len(affinity(0)) if affinity else os.cpu_count() or 1)
