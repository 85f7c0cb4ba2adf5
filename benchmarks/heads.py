"""Measures what a further compiled head costs: a request whose text several heads of one encoder read.

Run: ``python benchmarks/heads.py``. Needs the encoder of ``vsr-compile fetch-encoder``. Rows are measured in turns, so
that a busy machine slows all of them; each text is new, so that no answer is remembered. CPU time is that of all
threads, and does not depend on what else runs.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vsr_compiler import examples
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder
from vsr_runtime.inference.engine.batch_queues import BatchQueues
from vsr_runtime.inference.engine.load import load_models, read_tasks
from vsr_runtime.inference.engine.tasks import TaskEngine
from vsr_runtime.inference.head import Head
from vsr_schemas.runtime import ClassifierSettings

ROUNDS = 400
INPUTS = "0" * 64
HEADS = {"domain": ("category", 14), "facts": ("labels", 1), "tone": ("labels", 4), "attacks": ("jailbreak", 1)}
ROWS: tuple[tuple[str, ...], ...] = (
    ("domain",),
    ("domain", "facts"),
    ("domain", "attacks"),
    ("domain", "facts", "tone", "attacks"),
)


def settings(name: str) -> ClassifierSettings:
    """The settings of a head."""
    task, labels = HEADS[name]
    window = {"window": 256, "overlap": 64} if task == "jailbreak" else {}
    return ClassifierSettings.model_validate(
        {
            "task": task,
            "encoder": {"repo": DEFAULT_ENCODER, "sha256": KNOWN[DEFAULT_ENCODER].weights, "precision": "int8"},
            "head": {"file": f"{name}.safetensors", "inputs": INPUTS, **window},
            "labels": [f"label {number}" for number in range(labels)],
            "threshold": 0.5,
        }
    )


def write(folder: Path) -> None:
    """Write heads with random weights."""
    random = np.random.default_rng(0)
    for name in HEADS:
        labels = tuple(settings(name).labels)
        weight = random.normal(size=(len(labels), 384)).astype(np.float32)
        head = Head(labels, weight, np.zeros(len(labels), np.float32), 1.0, INPUTS)
        (folder / f"{name}.safetensors").write_bytes(head.to_bytes())


async def measure(folder: Path, texts: Sequence[str]) -> dict[tuple[str, ...], list[tuple[float, float]]]:
    """Seconds and CPU seconds of each request, by the heads that read it."""
    engines = {}
    for row in ROWS:
        classifiers = {name: settings(name) for name in row}
        engines[row] = TaskEngine(read_tasks(classifiers), BatchQueues(load_models(classifiers, folder)))
    seconds: dict[tuple[str, ...], list[tuple[float, float]]] = {row: [] for row in ROWS}
    loop = asyncio.get_running_loop()
    for number, text in enumerate(texts):
        for row in (*ROWS[number % len(ROWS) :], *ROWS[: number % len(ROWS)]):
            began, used = time.perf_counter(), time.process_time()
            await asyncio.gather(*(engines[row].classify(name, [text], loop.time() + 60) for name in row))
            seconds[row].append((time.perf_counter() - began, time.process_time() - used))
    for engine in engines.values():
        engine.close()
    return seconds


def main() -> None:
    """Prints a row for each set of heads, against the first."""
    shipped = examples.read("mmlu-pro@1")
    texts = [text for label in shipped.labels for text in shipped.texts(label)][::4][:ROUNDS]
    encoder = SentenceEncoder.load(find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights))
    tokens = statistics.median(len(encoder.token_ids(text)) for text in texts)
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        seconds = asyncio.run(measure(Path(name), texts))
    print(f"{len(texts)} prompts of {tokens:.0f} tokens in the median; milliseconds of a request")
    base = [used for _, used in seconds[ROWS[0]]]
    print(f"{'heads':<32} latency    CPU   CPU against one head")
    for row, values in seconds.items():
        latency, cpu = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{' '.join(row):<32} {latency * 1e3:7.2f} {cpu * 1e3:6.2f}   {cpu / statistics.median(base):.2f}")


if __name__ == "__main__":
    main()
