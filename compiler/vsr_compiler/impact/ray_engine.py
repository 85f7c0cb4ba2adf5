"""Decides traffic on a Ray cluster: the same chunks in the same code, merged in the same order, so the same report.

Ray Data reads each file in one task as a stream of chunks, and decides them in a pool of actors with both policies.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ray
import ray.data

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.impact.decide import Side
from vsr_compiler.impact.reader import Chunk, chunks_of
from vsr_compiler.impact.replay import Options, Replay, default_jobs
from vsr_compiler.impact.sources import Source, TrafficError, size_of
from vsr_compiler.impact.tally import Tally

BLOCK = 1 << 20
"""Bytes of chunks that one actor takes at once."""
READERS = 4
"""Files that are read at the same time for each core."""
ADDRESS = "RAY_ADDRESS"
Row = dict[str, Any]


def on_ray(
    sources: Sequence[Source], begin: tuple[int, int], old: Side, new: Side, options: Options, *, jobs: int | None
) -> Iterator[tuple[Chunk, Tally]]:
    """Decide the chunks of some files, from one on. Yield each with its tally, in the order of the traffic.

    Args:
        sources: The files. Every node of the cluster reads them by the same names.
        begin: The file and the chunk in it to begin with.
        old: The policy of before.
        new: The policy of after.
        options: What the replay does.
        jobs: The number of actors at most; None for the number of the cluster's cores.

    Raises:
        CompileError: VSR506 if a classifier cannot be loaded.
        TrafficError: A file cannot be read, or a node cannot do its work.
    """
    Replay(old, new, options)  # what cannot be loaded is reported by this process
    with _cluster(jobs):
        most = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
        starts = _starts(sources, begin)
        rows = (
            ray.data.from_items(starts, override_num_blocks=len(starts))
            # Without a core, so that they wait for no actor; and so Ray does not move them into the actors.
            .flat_map(_read, num_cpus=0, compute=ray.data.TaskPoolStrategy(size=min(READERS * most, len(starts))))
            .map_batches(
                _Decider,
                fn_constructor_args=(old, new, options),
                batch_size=None,
                batch_format="numpy",
                num_cpus=1,
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
            )
        )
        try:
            for row in rows.iter_rows():
                if row["error"]:
                    raise TrafficError(row["error"])
                chunk = Chunk(int(row["number"]), int(row["file"]), 0, (), int(row["end"]))
                yield chunk, Tally.from_json(json.loads(row["tally"]))
        except ray.exceptions.RayError as error:
            raise TrafficError(f"Ray ended the replay: {(str(error).splitlines() or [''])[0]}") from None


def _starts(sources: Sequence[Source], begin: tuple[int, int]) -> list[Row]:
    """Return what each task reads: a file from a chunk on."""
    before, found = 0, []
    for index, source in enumerate(sources):
        if index >= begin[0]:
            found.append({"source": source, "file": index, "before": before, "first": begin[1] * (index == begin[0])})
        before += size_of(source)
    return found


def _read(start: Row) -> Iterator[Row]:
    """Yield the chunks of a file, and what is wrong with it."""
    row = {
        "name": str(start["source"]),
        "file": start["file"],
        "number": 0,
        "line": 0,
        "end": 0,
        "lines": b"",
        "error": "",
    }
    try:
        for chunk in chunks_of(start["source"], start["file"], start["before"]):
            if chunk.number >= start["first"]:
                # A line is not blank, so an empty one is a line that is too long.
                lines = b"\n".join((line or b"").removesuffix(b"\n") for line in chunk.lines)
                yield row | {"number": chunk.number, "line": chunk.line, "end": chunk.end, "lines": lines}
    except TrafficError as error:
        yield row | {"error": str(error)}


class _Decider:
    """An actor with both policies."""

    def __init__(self, old: Side, new: Side, options: Options) -> None:
        self._error = ""
        try:
            self._replay = Replay(old, new, options)
        except CompileError as error:
            node = ray.util.get_node_ip_address()
            self._error = f"a node cannot decide ({node}): {error.diagnostics[0].message}"

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Return the tallies of some chunks."""
        rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        made = [self._decided(row) for row in rows]
        return {name: [row[name] for row in made] for name in ("file", "number", "end", "tally", "error")}

    def _decided(self, row: Row) -> Row:
        known = {name: row[name] for name in ("file", "number", "end")}
        error = row["error"] or self._error
        if error:
            return known | {"tally": "", "error": error}
        lines = tuple(line + b"\n" if line else None for line in bytes(row["lines"]).split(b"\n"))
        tally = self._replay.tally(Chunk(int(row["number"]), int(row["file"]), int(row["line"]), lines), row["name"])
        return known | {"tally": json.dumps(tally.to_json()), "error": ""}


@contextmanager
def _cluster(jobs: int | None) -> Iterator[None]:
    """Connect to the cluster of ``RAY_ADDRESS``, or start a local one that ends with the work."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this machine unasked
    begun = not ray.is_initialized()
    if begun:
        local = {} if os.environ.get(ADDRESS) else {"num_cpus": jobs or default_jobs(), "include_dashboard": False}
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **local)
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    before = (context.execution_options.preserve_order, context.target_max_block_size, context.enable_progress_bars)
    context.execution_options.preserve_order = True
    context.target_max_block_size = BLOCK
    context.enable_progress_bars = False
    try:
        yield
    finally:
        context.execution_options.preserve_order, context.target_max_block_size, context.enable_progress_bars = before
        if begun:
            ray.shutdown()
