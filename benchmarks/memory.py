"""Whether the runtime's memory stays flat over 200,000 requests through Envoy.

Run: ``python benchmarks/memory.py [--requests 200000]``. Needs wrk. Asked for: after the first tenth, which fills
caches and pools, the resident set grows by at most a twentieth.
"""

from __future__ import annotations

import argparse
import tempfile
import urllib.request
from pathlib import Path

from inline import doors, family, wrk

SLICE = 5
"""Seconds of load between two looks."""
GROWTH = 0.05


def resident(pid: int) -> float:
    """MiB of a process and its children."""
    pages = (Path(f"/proc/{each}/status").read_text(encoding="utf-8") for each in family(pid))
    return sum(int(page.partition("VmRSS:")[2].split()[0]) for page in pages) / 1024


def metrics(http: str) -> list[str]:
    """The lines of the runtime's page."""
    with urllib.request.urlopen(f"http://{http}/metrics", timeout=5) as answer:
        return list(answer.read().decode().splitlines())


def decided(http: str) -> int:
    """Requests that the runtime has decided."""
    name = "llm_model_routing_latency_seconds_count "
    return int(float(next(line for line in metrics(http) if line.startswith(name)).removeprefix(name)))


def main() -> None:
    """Print the resident set as the requests go by."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200_000)
    wanted = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as name, doors() as running:
        seen: list[tuple[int, float]] = []
        errors = 0.0
        while not seen or seen[-1][0] < wanted:
            errors += wrk(running.gateway, 64, SLICE, Path(name))["errors"]
            seen.append((decided(running.http), resident(running.server.pid)))
            print(f"{seen[-1][0]:9,} requests   {seen[-1][1]:7.1f} MiB", flush=True)
        warm = next(size for count, size in seen if count >= wanted / 10)
        grown = seen[-1][1] / warm - 1
        print(f"growth since the first tenth: {grown:+.1%} (asked: at most {GROWTH:.0%}); {errors:.0f} errors")
        print("\n".join(line for line in metrics(running.http) if line.startswith("llm_request_errors_total{")))


if __name__ == "__main__":
    main()
