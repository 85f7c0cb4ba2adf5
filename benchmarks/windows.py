"""Measures how a compiled detector can read a long text on a CPU: one window at a time, packed, or in threads.

Run: ``python benchmarks/windows.py`` (``--rounds 5``; ``--find`` also measures what other windows find, in minutes).
Needs the encoder of ``policies/quickstart.yaml``. All rows read the same windows in one run, in turns. CPU is that of
the whole process, so it counts every thread.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]

from example_sets import area, encoder  # noqa: E402 - found by the line above
from guards_injection import SET, blind_rows  # noqa: E402 - as above

from support.benign_prompts import benign_prompts  # noqa: E402 - as above
from vsr_compiler.heads.shipped import file_of  # noqa: E402 - as above
from vsr_runtime.inference import bert_onnx, onnx_session  # noqa: E402 - as above
from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: E402 - as above
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder  # noqa: E402 - as above
from vsr_runtime.inference.head import Head  # noqa: E402 - as above
from vsr_runtime.inference.tokenizer import TextTokenizer  # noqa: E402 - as above
from vsr_runtime.inference.windows import Windows  # noqa: E402 - as above
from vsr_runtime.shipped_heads import FOLDER  # noqa: E402 - as above

WINDOW, OVERLAP, SPECIAL = 256, 64, 2
LENGTHS = (2048, 8192, 32_768)
CUTS = ((256, 64), (256, 32), (256, 0), (128, 64), (128, 32))
ATTACKS, CARRIER = 60, 900
"""Texts with an attack, and as many without; the tokens of each."""
Ids = np.ndarray[Any, np.dtype[np.int64]]
Reading = Callable[[Ids], np.ndarray[Any, Any]]


def opened(graph: onnx.ModelProto, threads: int = 1) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    """Open a graph as the runtime does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level, options.use_deterministic_compute = 3, True
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def batched(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph for several sequences of one length."""
    found = onnx.ModelProto.FromString(graph.SerializeToString())
    for value in (*found.graph.input, *found.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "sequences"
    return found


def by_row(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The fp32 graph, quantised with a scale for each token and each output channel: rows do not depend on others."""
    constants = {one.name: numpy_helper.to_array(one) for one in graph.graph.initializer}
    added: list[np.ndarray[Any, Any]] = []
    nodes: list[onnx.NodeProto] = []
    scales: dict[str, tuple[str, str]] = {}

    def store(value: np.ndarray[Any, Any]) -> str:
        added.append(value)
        return f"row{len(added) - 1}"

    def node(kind: str, *inputs: str, output: str = "", **attributes: int) -> str:
        name = output or f"by_row{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    last, most, least = (store(np.array(value)) for value in ([-1], np.float32(127), np.float32(1e-20)))
    middle, zero = store(np.array(128, dtype=np.float32)), store(np.array(128, dtype=np.uint8))
    for one in graph.graph.node:
        if one.op_type != "MatMul" or one.input[1] not in constants:
            nodes.append(one)
            continue
        x, weight = one.input[0], constants[one.input[1]]
        if x not in scales:
            peak = node("Max", node("ReduceMax", node("Abs", x), last, keepdims=1), least)
            scale = node("Div", peak, most)
            whole = node("Add", node("Round", node("Div", x, scale)), middle)
            scales[x] = scale, node("Cast", whole, to=onnx.TensorProto.UINT8)
        scale, small = scales[x]
        channel = np.abs(weight).max(axis=0) / 63
        product = node("MatMulInteger", small, store(np.round(weight / channel).astype(np.int8)), zero)
        scaled = node("Mul", node("Cast", product, to=onnx.TensorProto.FLOAT), scale)
        node("Mul", scaled, store(channel.astype(np.float32)), output=one.output[0])
    found = batched(graph)
    del found.graph.node[:]
    found.graph.node.extend(nodes)
    found.graph.initializer.extend(numpy_helper.from_array(value, f"row{i}") for i, value in enumerate(added))
    return found


def readings() -> Iterator[tuple[str, Reading]]:
    """What is measured, by name. Each reads windows ``[n, 256]`` and returns embeddings of the middle layer."""
    files = find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    architecture = bert_onnx.read_architecture(files.config)
    onnx_session.open_session(files, "int8", 1)  # writes the graph
    cached = onnx_session.cache_folder() / onnx_session.graph_name(files, architecture, "int8")
    graph = onnx.load(cached)
    one, two, many = opened(graph), opened(graph, 2), opened(batched(graph))
    rowwise = opened(by_row(bert_onnx.build(files.weights, architecture)))
    workers = ThreadPoolExecutor(2)

    def singly(session: Any) -> Reading:  # noqa: ANN401 - as above
        return lambda ids: np.concatenate([session.run(["middle"], {"ids": row[None]})[0] for row in ids])

    def packed(session: Any, size: int) -> Reading:  # noqa: ANN401 - as above
        return lambda ids: np.concatenate(
            [session.run(["middle"], {"ids": ids[at : at + size]})[0] for at in range(0, len(ids), size)]
        )

    def in_threads(ids: Ids) -> np.ndarray[Any, Any]:
        return np.concatenate(list(workers.map(lambda row: one.run(["middle"], {"ids": row[None]})[0], ids)))

    yield "one window at a time (as served)", singly(one)
    yield "one window at a time, two intra-op threads", singly(two)
    yield "two windows at a time, in two threads", in_threads
    for size in (2, 4, 16):
        yield f"packed, {size} windows, a scale per tensor", packed(many, size)
    yield "one window at a time, a scale per row", singly(rowwise)
    yield "packed, 4 windows, a scale per row", packed(rowwise, 4)


def corpus(tokenizer: TextTokenizer) -> list[int]:
    """Tokens of the prose of this repository."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))
    return list(tokenizer([text])[0].ids)


def windows_of(tokenizer: TextTokenizer, ids: Sequence[int], size: int, overlap: int) -> Ids:
    """The windows of a text of more than one window, with special tokens."""
    cuts = Windows(size - SPECIAL, overlap, whole=True).cut(len(ids))
    return np.array([tokenizer.framed(ids[begin:end]) for begin, end in cuts], dtype=np.int64)


def speed(tokenizer: TextTokenizer, lengths: Sequence[int], rounds: int) -> None:
    """Print how long each row takes for long texts, relative to the first one."""
    ids, measured = corpus(tokenizer), dict(readings())
    print("| tokens | windows | row | wall, ms | wall | CPU | difference from served | difference from alone |")
    print("|---:|---:|---|---:|---:|---:|---:|---:|")
    for length in lengths:
        windows = windows_of(tokenizer, (ids * (length // len(ids) + 1))[:length], WINDOW, OVERLAP)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
        results = {name: read(windows[:16]) for name, read in measured.items()}
        alone = {name: np.concatenate([read(row[None]) for row in windows[:16]]) for name, read in measured.items()}
        for _ in range(rounds):
            for name, read in measured.items():
                begun, cpu = time.perf_counter(), time.process_time()
                read(windows)
                taken[name].append((time.perf_counter() - begun, time.process_time() - cpu))
        first, *_ = taken
        for name, times in taken.items():
            wall, cpu = (
                statistics.median(this[at] / base[at] for this, base in zip(times, taken[first], strict=True))
                for at in (0, 1)
            )
            off, own = (float(np.abs(results[name] - other).max()) for other in (results[first], alone[name]))
            ms = min(seconds for seconds, _ in times) * 1e3
            numbers = f"{ms:,.0f} | {wall:.2f} | {cpu:.2f} | {off:.1e} | {own:.1e}"
            print(f"| {length:,} | {len(windows)} | {name} | {numbers} |", flush=True)


def finds(model: SentenceEncoder, tokenizer: TextTokenizer) -> None:
    """Print what windows of other sizes find of attacks somewhere in long harmless texts, and the tokens they read."""
    head = Head.from_bytes((FOLDER / file_of(SET)).read_bytes())
    chance = random.Random(5)  # noqa: S311 - the same texts in each run
    attacks = [text for text, attack, _ in blind_rows() if attack]
    prompts = [text for texts in benign_prompts(1000).values() for text in texts]
    plain, hiding = [], []
    for attack in chance.sample(attacks, ATTACKS):
        carrier: list[int] = []
        while len(carrier) < CARRIER:
            carrier += tokenizer([chance.choice(prompts)])[0].ids
        at = chance.randrange(len(carrier))
        plain.append(carrier)
        hiding.append([*carrier[:at], *tokenizer([attack])[0].ids, *carrier[at:]])

    def scores(texts: Sequence[Sequence[int]], size: int, overlap: int) -> np.ndarray[Any, Any]:
        return np.array(
            [
                head.probabilities(model.embed_ids(windows_of(tokenizer, ids, size, overlap).tolist(), head.layer))[
                    :, 0
                ].max()
                for ids in texts
            ]
        )

    print(f"\n| window | overlap | tokens read | area | found at {head.threshold:g} | false alarms |")
    print("|---:|---:|---:|---:|---:|---:|")
    for size, overlap in CUTS:
        read = sum(windows_of(tokenizer, ids, size, overlap).size for ids in plain) / sum(map(len, plain))
        found, false = scores(hiding, size, overlap), scores(plain, size, overlap)
        print(
            f"| {size} | {overlap} | {read:.2f} | {area(found, false):.2f} | "
            f"{(found >= head.threshold).sum()} of {ATTACKS} | {(false >= head.threshold).sum()} of {ATTACKS} |",
            flush=True,
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, action="append", help="tokens of a text; can be given again")
    parser.add_argument("--find", action="store_true", help="also what windows of other sizes find")
    given = parser.parse_args()
    files = find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    tokenizer = TextTokenizer.load(files.tokenizer)
    load = os.getloadavg()[0]
    print(
        f"{time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores, load {load:.1f}, onnxruntime {onnxruntime.__version__}"
    )
    speed(tokenizer, given.tokens or LENGTHS, given.rounds)
    if given.find:
        finds(encoder(), tokenizer)


if __name__ == "__main__":
    main()
