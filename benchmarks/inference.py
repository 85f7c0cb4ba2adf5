"""Measures the inference engine side by side with what it is to be better than, in one run, on the device at hand.

Run: ``python benchmarks/inference.py`` (``--tiny``: a look at whether it runs; ``--rows NAME``: one row;
``--minutes 10``: as many rounds as fit, for a GPU that is lent).
Needs torch and transformers. The encoder is a ModernBERT-base with random weights, its tokenizer is trained on the
files of this repository, so nothing is fetched. Work that is compared is the same: the same prompts, from text to
probabilities. On a CPU all is fp32 but where a row says otherwise; on a GPU all is bf16 but the reference.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import numpy as np  # noqa: E402 - after the path is set
import torch  # noqa: E402 - as above
import transformers  # noqa: E402 - as above

from vsr_runtime.inference.checkpoint import Checkpoint, read_checkpoint  # noqa: E402 - as above
from vsr_runtime.inference.cuda_graphs import Mode  # noqa: E402 - as above
from vsr_runtime.inference.engine.batch_queues import BatchQueues, LoadedModel  # noqa: E402 - as above
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError  # noqa: E402 - as above
from vsr_runtime.inference.engine.tasks import TaskEngine  # noqa: E402 - as above
from vsr_runtime.inference.packed_model import PackedModel  # noqa: E402 - as above
from vsr_runtime.inference.task import Task  # noqa: E402 - as above
from vsr_runtime.inference.token_sequence import TokenSequence  # noqa: E402 - as above
from vsr_runtime.inference.tokenizer import TextTokenizer  # noqa: E402 - as above
from vsr_runtime.inference.windows import Windows  # noqa: E402 - as above
from vsr_runtime.server.classify import THREADS  # noqa: E402 - as above

LABELS = [f"category {letter}" for letter in "abcdefghijklmn"]
LOADS = (0.25, 0.5, 0.75, 0.9)
BATCH = 32
FOR_THROUGHPUT = 0.6
"""Of the time of ``--minutes``; the rest is for latencies, which take two minutes, and for MiniLM."""
Texts = Sequence[str]


@dataclass
class Bench:
    """What every row needs. ``flops`` of a prompt by its tokens, ``ceiling`` in operations a second."""

    device: str
    precision: str
    checkpoint: Checkpoint
    tokenizer: TextTokenizer
    model: Any
    fast: Any
    rounds: int
    ceiling: float = 0.0

    def ids(self, texts: Texts) -> list[list[int]]:
        """Token ids of texts as the model reads them, at most 512."""
        return [self.tokenizer.framed(tokens.ids[:510]) for tokens in self.tokenizer(texts)]

    def flops(self, lengths: Sequence[int]) -> float:
        """Operations of products of matrices for sequences of these lengths; a local layer sees 129 tokens at most."""
        config = self.model.config
        width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
        linear = layers * 2 * (4 * width * width + 3 * width * inner)
        whole = sum(kind == "full_attention" for kind in config.layer_types)
        seen = [whole * n + (layers - whole) * min(n, 2 * config.sliding_window + 1) for n in lengths]
        return float(sum(n * (linear + 4 * width * each) for n, each in zip(lengths, seen, strict=True)))


def build(folder: Path, *, tiny: bool, seed: int = 0) -> None:
    """Write a checkpoint with random weights and a tokenizer trained on this repository's files."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers  # noqa: PLC0415 - only here

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.BpeTrainer(
        vocab_size=20_000,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train([str(path) for path in corpus_files()], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokens = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    size = {"hidden_size": 128, "intermediate_size": 192, "num_hidden_layers": 4, "num_attention_heads": 4}
    config = transformers.ModernBertConfig(
        **tokens,
        **(size if tiny else {}),
        id2label=dict(enumerate(LABELS)),
        label2id={v: k for k, v in enumerate(LABELS)},
    )
    torch.manual_seed(seed)
    model = transformers.ModernBertForSequenceClassification(config)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",  # noqa: S106 - no password
        unk_token="[UNK]",  # noqa: S106 - no password
        cls_token="[CLS]",  # noqa: S106 - no password
        sep_token="[SEP]",  # noqa: S106
    ).save_pretrained(folder)


def corpus_files() -> list[Path]:
    """Prose and source of this repository."""
    return sorted(
        path
        for top in ("docs", "compiler", "runtime", "policies")
        for path in (ROOT / top).rglob("*.*")
        if path.suffix in {".md", ".py", ".yaml"}
    )


def workloads(bench: Bench, *, prompts: int, tokens: int) -> dict[str, list[str]]:
    """Prompts cut from the corpus: all of 128 tokens, all of 512, and lognormal as real ones are (median 28)."""
    chance = random.Random(7)  # noqa: S311 - the same prompts in each run
    raw = "\n".join(path.read_text(encoding="utf-8") for path in corpus_files())
    ids = bench.tokenizer([raw])[0].ids

    def cut(length: int) -> str:
        begin = chance.randrange(len(ids) - length)
        return str(bench.fast.decode(list(ids[begin : begin + length])))

    def lognormal() -> int:
        return max(2, min(510, round(chance.lognormvariate(np.log(28), 0.8))))

    return {
        "lognormal": [cut(lognormal()) for _ in range(prompts)],
        "128": [cut(126) for _ in range(max(tokens // 128, 2))],
        "512": [cut(510) for _ in range(max(tokens // 512, 2))],
    }


def by_pipeline(bench: Bench, batch: int) -> Callable[[Texts], list[Any]]:
    """Transformers' own pipeline."""
    pipe = transformers.pipeline(
        "text-classification", model=bench.model, tokenizer=bench.fast, device=bench.device, top_k=None
    )

    def run(texts: Texts) -> list[Any]:
        found = pipe(list(texts), batch_size=batch, truncation=True, max_length=512)
        return [np.array([{one["label"]: one["score"] for one in row}[label] for label in LABELS]) for row in found]

    return run


def by_padding(bench: Bench, *, by_length: bool) -> Callable[[Texts], list[Any]]:
    """Batches of 32, padded to their longest."""

    def run(texts: Texts) -> list[Any]:
        ids = bench.ids(texts)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i])) if by_length else list(range(len(ids)))
        out: list[Any] = [None] * len(ids)
        for begin in range(0, len(order), BATCH):
            part = order[begin : begin + BATCH]
            longest = max(len(ids[i]) for i in part)
            table = torch.zeros((len(part), longest), dtype=torch.int64)
            mask = torch.zeros_like(table)
            for row, i in enumerate(part):
                table[row, : len(ids[i])] = torch.tensor(ids[i])
                mask[row, : len(ids[i])] = 1
            with torch.inference_mode():
                logits = bench.model(input_ids=table.to(bench.device), attention_mask=mask.to(bench.device)).logits
            for i, row in zip(part, logits.float().softmax(-1).cpu().numpy(), strict=True):
                out[i] = row
        return out

    return run


def by_packing(bench: Bench, models: Sequence[PackedModel], budget: int) -> Callable[[Texts], list[Any]]:
    """Our models over batches of at most ``budget`` tokens; several models read everything each."""

    def run(texts: Texts) -> list[Any]:
        found: list[Any] = []
        for sequences in packs(bench.ids(texts), budget):
            answers = [model.run(model.prepare(sequences)) for model in models]
            found += [answer["a"] for answer in answers[0]]
        return found

    return run


def packs(ids: Sequence[Sequence[int]], budget: int) -> list[list[TokenSequence]]:
    """Pieces in order, in batches that do not exceed the budget."""
    out: list[list[TokenSequence]] = [[]]
    size = 0
    for each in ids:
        if out[-1] and size + len(each) > budget:
            out.append([])
            size = 0
        out[-1].append(TokenSequence(each))
        size += len(each)
    return out


def ceiling(device: str, dtype: torch.dtype) -> float:
    """Operations a second that one large product of matrices reaches, the best of several."""
    size = 8192 if device == "cuda" else 1536
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(8):
        begun = time.perf_counter()
        a @ b
        synchronise(device)
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


def synchronise(device: str) -> None:
    """Wait for a GPU."""
    if device == "cuda":
        torch.cuda.synchronize()


def rows_of(bench: Bench) -> dict[str, Callable[[Texts], list[Any]]]:
    """What is measured, by name."""

    def packed(count: int = 1, mode: Mode = "eager", precision: str = bench.precision) -> PackedModel:
        names = dict.fromkeys("abc"[:count], bench.checkpoint)
        return PackedModel.load(names, bench.device, precision, mode, 512)  # type: ignore[arg-type]

    one = packed()
    budgets = (4096, 16_384, 65_536) if bench.device == "cuda" else (512, 2048)
    main = budgets[-2]
    rows = {
        "pipeline, one by one": by_pipeline(bench, 1),
        "pipeline, batch of 32": by_pipeline(bench, BATCH),
        "padded, 32": by_padding(bench, by_length=False),
        "padded, 32, sorted by length": by_padding(bench, by_length=True),
        "packed, single": by_packing(bench, [one], 1),
        **{f"packed, {budget} tokens": by_packing(bench, [one], budget) for budget in budgets},
        f"packed, {main}, three heads": by_packing(bench, [packed(3)], main),
        f"packed, {main}, three encoders": by_packing(bench, [one, packed(), packed()], main),
    }
    if bench.device == "cuda":
        rows[f"packed, {main}, compiled"] = by_packing(bench, [packed(mode="compile")], main)
        rows["packed, single, graphs"] = by_packing(bench, [packed(mode="graphs")], 1)
        rows["packed, 4096, graphs"] = by_packing(bench, [packed(mode="graphs")], 4096)
    else:
        rows[f"packed, {main}, bf16"] = by_packing(bench, [packed(precision="bf16")], main)
    return rows


def measure(
    runs: dict[str, Callable[[Texts], list[Any]]], texts: Texts, rounds: int, device: str, until: float = float("inf")
) -> dict[str, float]:
    """Prompts a second by row: the best of so many rounds, taken in turns, so that a disturbance meets all alike.

    After ``until``, or if a round would not end before, a row has the speed of what was read so far: at least an eighth
    of the texts, after a few of them to get warm.
    """
    part = texts[: max(len(texts) // 8, 2)]
    best = {}
    for name, run in runs.items():
        run(part[: max(len(part) // 8, 2)])
        synchronise(device)
        begun = time.perf_counter()
        run(part)
        synchronise(device)
        best[name] = (time.perf_counter() - begun) * len(texts) / len(part)
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.perf_counter()
            if begun + best[name] > until:
                continue
            run(texts)
            synchronise(device)
            best[name] = min(best[name], time.perf_counter() - begun)
    return {name: len(texts) / took for name, took in best.items()}


def reference(bench: Bench, texts: list[str]) -> list[Any]:
    """Each prompt alone, in fp32, by transformers."""
    model = (
        transformers.AutoModelForSequenceClassification.from_pretrained(bench.checkpoint.folder).eval().to(bench.device)
    )
    with torch.inference_mode():
        return [
            model(torch.tensor([ids], device=bench.device)).logits[0].softmax(-1).cpu().numpy()
            for ids in bench.ids(texts)
        ]


def throughput(
    bench: Bench, work: dict[str, list[str]], rows: dict[str, Any], until: float
) -> dict[tuple[str, str], float]:
    """Print the table; returns prompts a second by workload and row."""
    found: dict[tuple[str, str], float] = {}
    print(
        "\n| workload | row | prompts/s | tokens/s | of the ceiling | max abs difference |\n"
        "|---|---|---:|---:|---:|---:|"
    )
    begun = time.perf_counter()
    for number, (load, texts) in enumerate(work.items(), 1):
        lengths = [len(ids) for ids in bench.ids(texts)]
        sample = texts[:24]
        wanted = reference(bench, sample)
        rates = measure(rows, texts, bench.rounds, bench.device, begun + (until - begun) * number / len(work))
        bench.ceiling = max(bench.ceiling, ceiling(bench.device, bench.model.dtype))
        for name, rate in rates.items():
            found[load, name] = rate
            off = max(float(np.abs(a - b).max()) for a, b in zip(rows[name](sample), wanted, strict=True))
            times = 3 if "three encoders" in name else 1
            share = rate / len(texts) * bench.flops(lengths) * times / bench.ceiling
            speed = rate * statistics.fmean(lengths)
            print(f"| {load} | {name} | {rate:,.1f} | {speed:,.0f} | {share:.0%} | {off:.1e} |", flush=True)
    return found


def minilm(texts: list[str], rounds: int) -> None:
    """The default classifier's encoder: onnxruntime in int8, as served, beside transformers one by one."""
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - only here
    from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder  # noqa: PLC0415 - likewise
    from vsr_runtime.inference.errors import ModelError  # noqa: PLC0415 - likewise

    try:
        files = find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    except ModelError as error:
        print(f"\nMiniLM: not measured: {error}")
        return
    served = SentenceEncoder.load(files, "int8")
    model = transformers.AutoModel.from_pretrained(files.folder, local_files_only=True).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(files.folder, local_files_only=True)

    def one_by_one(part: Texts) -> list[Any]:
        found = []
        with torch.inference_mode():
            for text in part:
                inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
                found.append(torch.nn.functional.normalize(model(**inputs).last_hidden_state.mean(dim=1), dim=1))
        return found

    def ours(part: Texts) -> list[Any]:
        return [served.embed([text]) for text in part]

    def threads(part: Texts) -> list[Any]:
        return list(workers.map(lambda text: served.embed([text]), part))

    def on_one_core(part: Texts) -> list[Any]:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return one_by_one(part)
        finally:
            torch.set_num_threads(before)

    with ThreadPoolExecutor(THREADS) as workers:
        rows = {
            "transformers, one by one": one_by_one,
            "transformers, one by one, one thread": on_one_core,
            "onnxruntime int8, one thread": ours,
            f"onnxruntime int8, as served ({THREADS} threads of one text each)": threads,
        }
        rates = measure(rows, texts, rounds, "cpu")
    slow, slow_core, fast_core, fast = rates.values()
    print("\n| MiniLM, lognormal | texts/s |\n|---|---:|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:,.1f} |")
    core = f"core by core {fast_core / slow_core:.1f}"
    print(f"\nMiniLM as served: {fast / slow:.1f} times transformers one by one; {core}")


def open_loop(bench: Bench, texts: list[str], budget: int, *, tiny: bool) -> None:
    """Latency of the whole engine (tokenise, queue, batch, answer) as requests come in by chance, not in turn."""
    model = PackedModel.load({"a": bench.checkpoint}, bench.device, bench.precision)  # type: ignore[arg-type]
    capacity = measure({"packed": by_packing(bench, [model], budget)}, texts, bench.rounds, bench.device)["packed"]
    task = Task("a", tuple(LABELS), bench.tokenizer, Windows(510, 64, whole=True), "max")
    mean = statistics.fmean(len(ids) for ids in bench.ids(texts))
    batch = budget / mean / capacity
    print(f"\nopen loop, lognormal: capacity {capacity:,.1f} prompts/s")
    print(f"a full batch of {budget} tokens takes {batch * 1e3:,.1f} ms")
    print("\n| load | answered | p50 ms | p99 ms | p99.9 ms | shed | late |\n|---|---:|---:|---:|---:|---:|---:|")
    for load in LOADS:
        queues = [LoadedModel(model, ("a",), budget, 512)]
        spans, shed, late = asyncio.run(_drive(queues, task, texts, load * capacity, 3.0 if tiny else 20.0))
        spans.sort()
        at = [
            spans[min(int(len(spans) * share), len(spans) - 1)] * 1e3 if spans else float("nan")
            for share in (0.5, 0.99, 0.999)
        ]
        print(f"| {load:.0%} | {len(spans)} | {at[0]:.1f} | {at[1]:.1f} | {at[2]:.1f} | {shed} | {late} |", flush=True)


async def _drive(
    loaded: list[LoadedModel], task: Task, texts: list[str], rate: float, seconds: float
) -> tuple[list[float], int, int]:
    """Ask at this rate; returns seconds of each answer, how many were shed, and how many late (after 10 s)."""
    queues = BatchQueues(loaded)
    await queues.warm()
    engine = TaskEngine({"a": task}, queues)
    loop, chance = asyncio.get_running_loop(), random.Random(3)  # noqa: S311 - as above
    spans: list[float] = []
    lost = [0, 0]

    async def one(due: float, text: str) -> None:
        try:
            await engine.classify("a", [text], due + 10)
        except (OverloadedError, EngineError):
            lost[0] += 1
        except TimeoutError:
            lost[1] += 1
        else:
            spans.append(loop.time() - due)

    begun = loop.time()
    due, tasks = begun, []
    while due < begun + seconds:
        due += chance.expovariate(rate)
        await asyncio.sleep(max(due - loop.time(), 0))
        # A number makes each prompt another, or answers would be remembered.
        tasks.append(asyncio.ensure_future(one(due, f"{len(tasks)} {chance.choice(texts)}")))
    await asyncio.gather(*tasks)
    engine.close()
    return spans, lost[0], lost[1]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a small model and few prompts: whether it runs")
    parser.add_argument("--rows", action="append", default=[], help="only rows of this name; can be given again")
    parser.add_argument("--load", choices=("lognormal", "128", "512"), help="only this workload, and no open loop")
    parser.add_argument("--prompts", type=int, help="of the lognormal workload")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--minutes", type=float, help="end after about so long; rows have fewer rounds then")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    until = time.perf_counter() + 60 * given.minutes * FOR_THROUGHPUT if given.minutes else float("inf")
    device = given.device
    precision = "bf16" if device == "cuda" else "fp32"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    name = torch.cuda.get_device_name() if device == "cuda" else f"{os.cpu_count()} cores"
    print(
        f"{time.strftime('%Y-%m-%d')}: {name}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, {precision}{', tiny' if given.tiny else ''}"
    )
    transformers.utils.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        build(folder, tiny=given.tiny)
        checkpoint = read_checkpoint(folder, "sequence")
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype).to(device).eval()
        fast = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
        bench = Bench(
            device, precision, checkpoint, TextTokenizer.load(checkpoint.tokenizer), model, fast, given.rounds
        )
        bench.ceiling = ceiling(device, dtype)
        print(f"products of matrices reach {bench.ceiling / 1e12:.2f} TFLOP/s in {precision}")
        many = device == "cuda" and not given.tiny
        work = workloads(bench, prompts=given.prompts or (8192 if many else 64), tokens=2**21 if many else 1024)
        rows = {name: row for name, row in rows_of(bench).items() if not given.rows or name in given.rows}
        work = {load: texts for load, texts in work.items() if given.load in (None, load)}
        found = throughput(bench, work, rows, until)
        ratios(found)
        if given.load is None:
            open_loop(bench, work["lognormal"], 16_384 if device == "cuda" else 512, tiny=given.tiny)
        if "lognormal" in work:
            minilm(work["lognormal"], given.rounds)


def ratios(found: dict[tuple[str, str], float]) -> None:
    """Print how many times as fast packing is, on the lognormal mix."""
    ours = max((rate for (load, name), rate in found.items() if load == "lognormal" and _is_plain(name)), default=0.0)
    for name in ("pipeline, one by one", "pipeline, batch of 32", "padded, 32"):
        if ours and ("lognormal", name) in found:
            print(f"{'packed':>8} / {name}: {ours / found['lognormal', name]:.2f} times")


def _is_plain(name: str) -> bool:
    return name.startswith("packed") and name.endswith("tokens")


if __name__ == "__main__":
    main()
