"""What the runtime adds to a request, side by side with Envoy alone in one run, and where the CPU goes.

Run: ``python benchmarks/extproc.py [--rounds 5] [--seconds 3] [--bare] [--workers N] [--classifier]``. Needs wrk
(Debian, Ubuntu: ``apt-get install wrk``) and the extra ``local``. Rounds alternate between Envoy alone and Envoy with
the runtime, so that a busy spell of the machine strikes both; the median round counts. With ``--bare`` the rounds of the
runtime alternate with those of the least server that there can be, to tell the transport from what it carries.

Asked for, without a model on two cores: added p50 at one connection at most 0.65 ms, throughput at 64 connections at
least 0.58 of Envoy alone; with the classifier at least half of the encoder's own rate.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from inline import BODY, POLICY, ROOT, Doors, doors, wrk

ADDED, SHARE, CLASSIFIED = 0.65, 0.58, 0.5
MANY = 64
BARE = (sys.executable, str(ROOT / "benchmarks/bare.py"))
Load = dict[str, float]


def beside_bare(running: Doors, bare: Doors, rounds: int, seconds: int, folder: Path) -> None:
    """Print how the runtime stands beside the transport by itself."""
    for each in (running, bare):
        wrk(each.gateway, MANY, 1, folder)
    pairs = [(_spent(running, seconds, folder), _spent(bare, seconds, folder)) for _ in range(rounds)]
    for name, side in (("runtime", 0), ("bare server", 1)):
        show(f"{name}, c={MANY}", [{key: pair[side][key] for key in ("rps", "p50", "p99", "errors")} for pair in pairs])
        print(f"  CPU a request: server {median(pair[side]['server'] for pair in pairs):.0f} us")
    print(f"throughput: {median(ours['rps'] / other['rps'] for ours, other in pairs):.2f} of the bare server")
    print(f"CPU of the server: {median(ours['server'] / other['server'] for ours, other in pairs):.2f} of it")


def _spent(doors: Doors, seconds: int, folder: Path) -> Load:
    before = doors.cpu()[0]
    load = wrk(doors.gateway, MANY, seconds, folder)
    return load | {"server": (doors.cpu()[0] - before) / (load["rps"] * seconds) * 1e6}


def compare(doors: Doors, rounds: int, seconds: int, folder: Path) -> None:
    """Print what the runtime adds."""
    for each in (doors.alone, doors.gateway):
        wrk(each, MANY, 1, folder)
    one = [(wrk(doors.alone, 1, seconds, folder), wrk(doors.gateway, 1, seconds, folder)) for _ in range(rounds)]
    many, cpu = [], []
    for _ in range(rounds):
        alone = wrk(doors.alone, MANY, seconds, folder)
        before = doors.cpu()
        through = wrk(doors.gateway, MANY, seconds, folder)
        many.append((alone, through))
        count = through["rps"] * seconds
        cpu.append([(after - was) / count * 1e6 for was, after in zip(before, doors.cpu(), strict=True)])
    show("Envoy alone, c=1", [each for each, _ in one])
    show("with runtime, c=1", [each for _, each in one])
    show(f"Envoy alone, c={MANY}", [each for each, _ in many])
    show(f"with runtime, c={MANY}", [each for _, each in many])
    added = median(through["p50"] - alone["p50"] for alone, through in one)
    share = median(through["rps"] / alone["rps"] for alone, through in many)
    print(f"added p50 at c=1: {added:.2f} ms (asked: at most {ADDED})")
    print(f"throughput at c={MANY}: {share:.2f} of Envoy alone (asked: at least {SHARE})")
    print(f"CPU a request: server {median(s for s, _ in cpu):.0f} us, Envoy {median(e for _, e in cpu):.0f} us")


def show(name: str, runs: list[Load]) -> None:
    """One row of the table."""
    values = {key: median(run[key] for run in runs) for key in runs[0]}
    errors = sum(run["errors"] for run in runs)
    row = f"{values['rps']:8.0f} rps   p50 {values['p50']:7.2f}   p99 {values['p99']:7.2f} ms"
    print(f"{name:22} {row}   {errors:.0f} errors")


def classified(rounds: int, seconds: int, workers: list[str], folder: Path) -> None:
    """Print how much of the encoder's own rate comes through."""
    policy = (ROOT / "policies/quickstart.yaml").read_text(encoding="utf-8")
    classify = encoder()
    with doors(policy, workers) as running:
        wrk(running.gateway, 8, 2, folder)
        pairs = [(own_rate(classify, seconds), wrk(running.gateway, 8, seconds, folder)) for _ in range(rounds)]
    show("classifier, c=8", [run for _, run in pairs])
    print(f"the encoder by itself, in two threads: {median(rate for rate, _ in pairs):.0f} texts/s")
    share = median(run["rps"] / rate for rate, run in pairs)
    print(f"through the gateway: {share:.2f} of that (asked: at least {CLASSIFIED})")


def encoder() -> Callable[[str], object]:
    """The classifier of the quickstart, as the runtime loads it."""
    from runtime import settings  # noqa: PLC0415 - only for this
    from runtime.serve.load import load_classifier  # noqa: PLC0415 - likewise

    found = load_classifier(settings.load(ROOT / "out/quickstart/router/config.yaml"))
    if found is None:
        raise SystemExit("the quickstart asks for no classifier")
    return found.classify


def own_rate(classify: Callable[[str], object], seconds: float) -> float:
    """Texts a second, one after the other in each of two threads: what the runtime has, too."""
    text = BODY["messages"][-1]["content"]
    end = time.perf_counter() + seconds

    def work() -> int:
        count = 0
        while time.perf_counter() < end:
            classify(text)
            count += 1
        return count

    with ThreadPoolExecutor(2) as threads:
        return sum(each.result() for each in [threads.submit(work) for _ in range(2)]) / seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--classifier", action="store_true")
    given = parser.parse_args()
    workers = ["--workers", str(given.workers)] if given.workers else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"body of {len(json.dumps(BODY))} bytes")
        if given.classifier:
            classified(given.rounds, given.seconds, workers, folder)
            return
        if given.bare:
            with doors(POLICY, workers) as running, doors(POLICY, serve=BARE) as bare:
                beside_bare(running, bare, given.rounds, given.seconds, folder)
            return
        with doors(POLICY, workers) as running:
            compare(running, given.rounds, given.seconds, folder)


if __name__ == "__main__":
    main()
