"""Measures what an author waits for: `check` of a short policy, and a compile that changes nothing.

Run: ``python benchmarks/inner_loop.py [rounds]``; the median of so many runs counts. Ratios hold on any machine.
Asked: `check` of 30 lines ≤ 6 x `import click`; a compile that changes nothing ≤ 0.35 x the full compile, with its head
reused. ``first`` is a run about which nothing is remembered (``VSR_NO_CACHE``), ``again`` the next one.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = [sys.executable, "-c", "from vsr_compiler.cli import main; main()"]
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: short}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  one:
    service: {name: one, port: 8000}
  two:
    service: {name: two, port: 8000}
models:
  small:
    endpoints: one
  big:
    endpoints: two
signals:
  code:
    keywords: [function, compile, traceback]
  long:
    context: {min: 4000}
guards:
  secrets:
    types: [CREDIT_CARD]
    action: block
routes:
  - name: code
    when: {signal: code}
    model: big
  - name: long
    when: {signal: long}
    model: big
default: small
"""


def medians(commands: dict[str, tuple[list[str], bool]], folder: Path, rounds: int) -> dict[str, float]:
    """The median of each command in milliseconds; all take turns, so that a busy machine is busy for each of them."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    plain = {name: value for name, value in os.environ.items() if name != "VSR_NO_CACHE"}
    plain["VSR_CACHE_DIR"] = str(folder / "cache")
    for number in range(rounds + 1):
        for name, (command, remembered) in commands.items():
            environment = plain if remembered else plain | {"VSR_NO_CACHE": "1"}
            start = time.perf_counter()
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name}: {done.stderr}")
            if number:  # the first round makes bytecode and answers
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) * 1000 for name, values in times.items()}


def main(rounds: int = 9) -> None:
    """Prints one line a command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "short.yaml").write_text(POLICY, encoding="utf-8")
        shutil.copy(ROOT / "policies" / "quickstart.yaml", folder / "quickstart.yaml")
        commands = {"import click": ([sys.executable, "-c", "import click"], True)}
        for verb in ("check", "fmt", "compile"):
            for file in ("short.yaml", "quickstart.yaml"):
                commands[f"{verb} {file}, first"] = ([*RUN, verb, file], False)
                if verb != "fmt":
                    commands[f"{verb} {file}, again"] = ([*RUN, verb, file], True)
        commands["--help"] = ([*RUN, "--help"], True)
        took = medians(commands, folder, rounds)
        bare = took["import click"]
        for what, time_of in took.items():
            first = took.get(what.replace("again", "first"), time_of)
            compared = f"  {time_of / first:5.2f} x first" if first != time_of else ""
            print(f"{what:32} {time_of:8.1f} ms  {time_of / bare:6.2f} x import click{compared}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
