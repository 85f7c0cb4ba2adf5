"""The whole page of measured guards: attacks, personal data, detectors at servers, and the runtime as Presidio.

Run: ``python benchmarks/guards.py all > docs/reference/guards-measured.md``. Times are of the machine that runs it; a
busy one makes them larger. ``python benchmarks/guards.py rest`` prints all but the part about attacks.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]

import guards_pii  # noqa: E402 - found by the line above

from support.detector_servers import played, remote  # noqa: E402 - as above
from support.guard_samples import OBFUSCATIONS, SAMPLES, is_found  # noqa: E402 - as above
from support.number_samples import entries, valid, word  # noqa: E402 - as above
from support.played_api import served  # noqa: E402 - as above
from support.technical_texts import KINDS, texts  # noqa: E402 - as above
from vsr_runtime.credentials import ServerAccess  # noqa: E402 - as above
from vsr_runtime.decision.deadline import never  # noqa: E402 - as above
from vsr_runtime.decision.guards.finders import credentials, injection, personal, spans  # noqa: E402 - as above
from vsr_runtime.decision.guards.guard import Finder  # noqa: E402 - as above
from vsr_runtime.server.detectors.server import RemoteClassifier  # noqa: E402 - as above
from vsr_runtime.settings import load  # noqa: E402 - as above
from vsr_schemas.inference_servers import PROTOCOLS  # noqa: E402 - as above
from vsr_schemas.pii import PATTERN_TYPES  # noqa: E402 - as above

CONFIG = ROOT / "tests" / "support" / "data" / "router" / "config.yaml"
CALLS, REQUESTS, CLIENTS = 200, 2_000, 8
TEXT = "Please write to Ada Lovelace at ada@example.org about the plan for the next quarter."
OK = 200
LABELS = {
    "presidio": ["PERSON"],
    "openai-moderation": ["flagged"],
    "llama-guard": ["unsafe"],
    "nemo-guardrails": ["blocked"],
}


def _reply(protocol: str) -> Callable[[Any], Any]:
    """Return what a server of a protocol answers about one text."""
    scored = [{"label": "attack", "score": 0.2}, {"label": "safe", "score": 0.8}]
    replies: dict[str, Any] = {
        "presidio": [],
        "openai-moderation": {"results": [{"flagged": False, "categories": {}, "category_scores": {}}]},
        "llama-guard": {"choices": [{"message": {"role": "assistant", "content": "safe"}}]},
        "nemo-guardrails": {"status": "success", "rails_status": {}},
        "kserve-v2": {"outputs": [{"name": "p", "datatype": "FP32", "shape": [1, 2], "data": [0.2, 0.8]}]},
        "tei": [scored],
        "vllm-classify": {"data": [{"index": 0, "label": "safe", "probs": [0.2, 0.8], "num_classes": 2}]},
        "vllm-pooling": {"data": [{"index": 0, "object": "pooling", "data": [0.2, 0.8]}]},
    }
    return lambda _: replies[protocol]


async def _calls(url: str, protocol: str) -> tuple[str, float, float]:
    """Return the outcome, and the median of a call in milliseconds: elapsed, and CPU of the process."""
    more = {"outputs": ["attack", "safe"]} if protocol in {"kserve-v2", "vllm-classify", "vllm-pooling"} else {}
    if protocol == "nemo-guardrails":
        more = {"config": "input"}
    settings = remote(protocol, url, LABELS.get(protocol, ["attack"]), **more)
    if settings.server is None:
        raise ValueError(protocol)
    client = RemoteClassifier("it", settings, settings.server, ServerAccess())
    elapsed, cpu = [], []
    outcome: object = None
    for _ in range(CALLS):
        start, used = time.perf_counter(), time.process_time()
        outcome = await client.detect([TEXT], asyncio.get_running_loop().time() + 10)
        elapsed.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    client.close()
    await asyncio.sleep(0)
    return type(outcome).__name__, statistics.median(elapsed) * 1000, statistics.median(cpu) * 1000


def detectors() -> Iterator[str]:
    """The part about servers."""
    yield "\n## Detectors at servers\n"
    yield f"Time of one call with one text, the median of {CALLS}, to a server of this process that answers at once."
    yield "CPU is of both sides, so it bounds what the router adds to the time of a real server.\n"
    yield "| protocol | elapsed | CPU, both sides |\n|---|---|---|"
    for protocol in PROTOCOLS:
        with played(_reply(protocol)) as server:
            outcome, elapsed, cpu = asyncio.run(_calls(server.url, protocol))
        shown = f"{elapsed:.2f} ms | {cpu:.2f} ms" if outcome in {"list", "tuple"} else f"failed: {outcome} | -"
        yield f"| `{protocol}` | {shown} |"


async def _presidio() -> float:
    """Return the requests per second that one process answers, its clients included."""
    async with served(load(CONFIG), classifiers={}) as client:

        async def work() -> None:
            for _ in range(REQUESTS // CLIENTS):
                async with client.post("/analyze", json={"text": TEXT, "language": "en"}) as answer:
                    if answer.status != OK:
                        raise RuntimeError(await answer.text())
                    await answer.read()

        await work()
        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(CLIENTS)))
        return REQUESTS / (time.perf_counter() - start)


def presidio() -> Iterator[str]:
    """The part about the runtime as Presidio."""
    yield "\n## The runtime as Presidio\n"
    rate = asyncio.run(_presidio())
    yield f"`POST /analyze` with a text of {len(TEXT)} characters and all types of patterns: {rate:.0f} requests per"
    yield f"second by one process, which also runs the {CLIENTS} clients."


def _microseconds(finder: Finder, samples: list[str]) -> float:
    """Return the time of a text: the best of five runs."""
    best = min(_seconds(finder, samples) for _ in range(5))
    return best / len(samples) * 1e6


def _seconds(finder: Finder, samples: list[str]) -> float:
    start = time.perf_counter()
    for text in samples:
        spans([finder], text, never)
    return time.perf_counter() - start


def personal_data(count: int) -> Iterator[str]:
    """The part about personal data, by type."""
    finders = {kind: personal([kind]) for kind in guards_pii.TYPES}
    found = guards_pii.found_share(finders, lambda text: text)
    alarms = guards_pii.false_alarms(finders, count)
    technical = [text for kind in KINDS for text in texts(kind, 50, seed=11)]
    yield "\n## Personal data\n"
    length = statistics.mean(map(len, technical))
    yield "Samples and texts are generated by this project, so the shares show which forms are covered. False"
    yield f"alarms are shares of {count} texts each."
    yield f"Time is of a text of {length:.0f} characters on average, for this type alone.\n"
    yield f"| type | samples | found whole | {' | '.join(f'false alarms in {kind}' for kind in KINDS)} | time |"
    yield "|---|---|---|" + "---|" * (len(KINDS) + 1)
    for kind in guards_pii.TYPES:
        number, _, whole = found[kind]
        rates = " | ".join(f"{alarms[kind][technical_kind] / count:.1%}" for technical_kind in KINDS)
        share = f"{whole / number:.1%}" if number else "-"
        yield f"| `{kind}` | {number} | {share} | {rates} | {_microseconds(finders[kind], technical):.1f} µs |"
    sets = {
        "all types together": personal(PATTERN_TYPES),
        "credentials": credentials(),
        "`patterns: injection`": injection(),
    }
    for name, finder in sets.items():
        empty = "| " * (len(KINDS) + 2)
        yield f"| {name} {empty}| {_microseconds(finder, technical):.1f} µs |"


def countries() -> Iterator[str]:
    """The part about numbers, by country."""
    import random  # noqa: PLC0415 - only here

    chance = random.Random(9)  # noqa: S311 - the same samples in every run
    counts: dict[str, list[int]] = {}
    for entry in entries():
        finder, country = personal([entry[0].type]), entry[0].type.partition("_")[0]
        row = counts.setdefault(country, [0, 0])
        for _ in range(guards_pii.PER_RULE):
            number = valid(entry, chance)
            row[0] += 1
            row[1] += bool(spans([finder], f"{word(entry[2])}: {number}", never))
    yield "\n## Numbers of people and companies, by country\n"
    yield "| country | samples | found |\n|---|---|---|"
    for country, (number, some) in sorted(counts.items()):
        yield f"| {country} | {number} | {some / number:.0%} |"


def disguises() -> Iterator[str]:
    """The part about disguises: how many kinds of data are found in each."""
    yield "\n## Disguises\n"
    yield f"How many of {len(SAMPLES)} kinds of data are found; [by kind](guards.md#what-guards-find).\n"
    yield "| disguise | found |\n|---|---|"
    for how, hide in OBFUSCATIONS.items():
        yield f"| {how} | {sum(is_found(name, hide(text)) for name, text in SAMPLES.items())} of {len(SAMPLES)} |"


def rest(count: int = 1_000) -> None:
    """Print all parts but the one about attacks."""
    for part in (personal_data(count), countries(), disguises(), detectors(), presidio()):
        for line in part:
            print(line, flush=True)


def main(count: int = 1_000) -> None:
    """Print the page."""
    import guards_injection  # noqa: PLC0415 - needs the encoder

    guards_injection.main(count)
    rest(count)
