"""Measures what the cheapest call costs beside `import click`, and `check` and `fmt` of a long policy.

Run: ``python benchmarks/startup.py [rounds]``; the best of so many runs counts. The law: `vsr-compile --version` costs
at most twice a bare `import click`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "from vsr_compiler.cli import main; main()"
HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: long}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {one: {service: "one:8000"}}
models: {big: {endpoints: one}}
default: big
"""


def best(command: list[str], rounds: int) -> float:
    """The shortest of several runs of a process, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def policy(lines: int) -> str:
    """A policy of about so many lines: categories with examples, each with its route."""
    count = lines // 26
    categories, routes = ["categories:"], ["routes:"]
    for number in range(count):
        categories += [f"  c{number}:", f"    description: Requests of kind {number}", "    examples:"]
        categories += [f"      - What is the answer to question {number} of form {form}?" for form in range(20)]
        routes += [f"  - name: r{number}", f"    when: {{category: c{number}}}", "    model: big"]
    return HEAD + "\n".join([*categories, *routes]) + "\n"


def main(rounds: int = 15) -> None:
    """Prints one line a command: milliseconds, and how many times as long as the bare import it takes."""
    run = [sys.executable, "-c"]
    bare = best([*run, "import click"], rounds)
    print(f"python -c 'import click'      {bare:8.1f} ms")
    version = best([*run, f"import sys; sys.argv = ['vsr-compile', '--version']; {PROGRAM}"], rounds)
    print(f"vsr-compile --version         {version:8.1f} ms  {version / bare:5.2f} x import click")
    with tempfile.TemporaryDirectory() as folder:
        for lines in (30, 3000):
            path = Path(folder) / f"{lines}.yaml"
            path.write_text(policy(lines), encoding="utf-8")
            for verb in ("check", "fmt"):
                took = best([*run, PROGRAM, verb, str(path)], max(rounds // 3, 1))
                print(f"vsr-compile {verb:<5} {lines:>5} lines   {took:8.1f} ms  {took / bare:5.2f} x import click")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
