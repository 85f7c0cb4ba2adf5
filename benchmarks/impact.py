"""Replays generated prompts through two policies, and compares with the decision alone.

Run: ``python benchmarks/impact.py [--requests 100000] [--classifier]``. Prints requests per second of both processes
together, CPU and memory, and the ratio to two bare decisions (``--classifier``: to the encoder's own rate).
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.common import SMALL, linked  # noqa: E402 - after the path is set
from vsr_compiler.impact.decide import Side  # noqa: E402 - as above
from vsr_compiler.impact.replay import Options, default_jobs, replay  # noqa: E402 - as above
from vsr_compiler.pipeline import compile_policy  # noqa: E402 - as above
from vsr_compiler.review.local_router import open_router  # noqa: E402 - as above
from vsr_runtime.inference.classifier import load_encoder  # noqa: E402 - as above
from vsr_schemas.runtime import EncoderSettings  # noqa: E402 - as above

STRUCTURAL = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: replayed}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {small: {service: "small:8000"}, large: {service: "large:8000"}}
models:
  small: {endpoints: small, price: {prompt: 0.1, completion: 0.4}}
  large: {endpoints: large, price: {prompt: 1, completion: 4}}
signals:
  urgent: {keywords: [urgent, refund]}
  long: {context: {min: 120}}
  code: {keywords: [python, rust, sql]}
routes:
  - {name: urgent, when: {signal: urgent}, model: large}
  - {name: long, when: {signal: long}, model: large}
  - {name: code, when: {signal: code}, model: large}
default: small
"""
WORDS = [
    "please",
    "help",
    "me",
    "write",
    "code",
    "that",
    "sorts",
    "a",
    "list",
    "derive",
    "the",
    "integral",
    "of",
    "x",
    "history",
    "of",
    "rome",
    "urgent",
    "refund",
    "legal",
    "contract",
    "dosage",
    "translate",
    "this",
    "poem",
    "python",
    "rust",
    "sql",
    "join",
]


def prompts(count: int) -> Iterator[str]:
    """Texts of 5 to 80 words, the same in every run."""
    draw = random.Random(1)  # noqa: S311 - the same in every run
    for _ in range(count):
        yield " ".join(draw.choices(WORDS, k=draw.randint(5, 80)))


def cpu() -> float:
    """Return the CPU seconds of this process and of those that it has started and ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def replayed(path: Path, old: str, new: str, jobs: int) -> tuple[float, float, int]:
    """Return the seconds of a replay, those of CPU, and the requests that change."""
    sides = []
    for text in (old, new):
        policy = compile_policy(linked(text), lambda _: None).policy
        prices = {model.name: (*model.price, model.price[0]) for model in policy.models if model.price}
        sides.append(Side(policy.name, policy.router.files, prices))
    begun, before = time.monotonic(), cpu()
    for step in replay([path], *sides, Options(), jobs=jobs):
        last = step
    return time.monotonic() - begun, cpu() - before, last.tally.counts["changed", "any"]


def bare(text: str, count: int) -> float:
    """Return the CPU seconds of one decision: two of them are what a replay cannot do without."""
    router = open_router(compile_policy(linked(text), lambda _: None).policy)
    bodies = [
        json.dumps({"model": "auto", "messages": [{"role": "user", "content": one}]}).encode() for one in prompts(count)
    ]
    begun = time.thread_time()
    for number, body in enumerate(bodies):
        router.decide("/v1/chat/completions", (), body, str(number))
    return (time.thread_time() - begun) / count


def encoder_rate(count: int) -> float:
    """Return the texts of the encoder by itself in a second of CPU."""
    policy = compile_policy(linked(SMALL), lambda _: None).policy
    document = policy.router.files["runtime.yaml"].decode()
    found = {key: _value(document, key) for key in ("repo", "sha256", "precision")}
    encoder = load_encoder(EncoderSettings.model_validate(found))
    texts = list(prompts(count))
    begun = time.thread_time()
    for text in texts:
        encoder.embed([text])
    return count / (time.thread_time() - begun)


def _value(document: str, key: str) -> str:
    return next(
        line.split(":", 1)[1].strip(" \"'") for line in document.splitlines() if line.strip().startswith(f"{key}:")
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--classifier", action="store_true")
    arguments = parser.parse_args()
    count, jobs = arguments.requests, 1 if arguments.classifier else default_jobs()
    old = SMALL if arguments.classifier else STRUCTURAL
    new = old.replace("[python, rust, sql]", "[python]").replace("model: little\ndefault", "model: big\ndefault")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "traffic.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            for text in prompts(count):
                stream.write(json.dumps({"prompt": text}) + "\n")
        seconds, used, changed = replayed(path, old, new, jobs)
    memory = " + ".join(
        f"{resource.getrusage(who).ru_maxrss / 1024:.0f}" for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{count:,} requests, {jobs} processes: {seconds:.1f} s, {used:.1f} s of CPU, {changed:,} change")
    print(f"largest memory of parent and of a child {memory} MiB")
    if arguments.classifier:
        rate = encoder_rate(min(count, 2000))
        print(f"the encoder alone {rate:,.0f} a second of CPU: the replay has {count / used / rate:.2f} of its rate")
    else:
        one = bare(old, min(count, 20_000))
        print(
            f"one decision {one * 1e6:.0f} us of CPU: the replay takes {used / count / (2 * one):.2f} times two of them"
        )


if __name__ == "__main__":
    main()
