"""How long `check` takes: on a 3,000-line policy, and at worst on 1 MB of anything.

Run: python benchmarks/check.py
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vsr_compiler.pipeline import findings

SIZE = 1_000_000
ASKED = 2.0
HEAD = "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {name: big}\nrouter: {image: 'r/x:1.0'}\n"


def large(models: int = 1000) -> str:
    """A good policy of about three lines a model."""
    endpoints = "".join(f"  e{i}:\n    service: {{name: e{i}, port: 80}}\n" for i in range(models))
    names = "".join(f"  m{i}: {{endpoints: e{i}}}\n" for i in range(models))
    return f"{HEAD}endpoints:\n{endpoints}models:\n{names}default: m0\n"


def fill(part: str) -> Callable[[], str]:
    """A text of the size that a part fills."""
    return lambda: part * (SIZE // len(part))


def noise() -> str:
    """Characters that mean something to YAML, at random."""
    rng = random.Random(1)  # noqa: S311 - the same noise in every run
    return "".join(rng.choices("ab:-[]{}&*!|>'\"#%@` \n,?", k=SIZE))


HOSTILE: dict[str, Callable[[], str]] = {
    "open brackets": fill("["),
    "open braces": fill("{"),
    "dashes": fill("- "),
    "question marks": fill("? "),
    "empty lists": lambda: "[" + "[]," * (SIZE // 3) + "]",
    "one long word": fill("a"),
    "one long quoted text": lambda: '"' + "a" * SIZE + '"',
    "anchors": fill("&a "),
    "exclamation marks": fill("!"),
    "lines": fill("a: b\n"),
    "keys": lambda: "".join(f"k{i}: v\n" for i in range(SIZE // 12)),
    "unknown models": lambda: HEAD + "routes:\n" + "- {name: a, when: always, model: b}\n" * (SIZE // 36),
    "misspelt keys": lambda: HEAD + "".join(f"rouets{i}: x\n" for i in range(SIZE // 16)),
    "comments": fill("# vsr: ignore VSR101 because\n"),
    "many models": lambda: large(SIZE // 62),
    "deep conditions": lambda: (
        HEAD + "routes:\n- {name: a, model: b, when: " + "{not: " * 30 + "{category: c}" + "}" * 31
    ),
    "noise": noise,
    "control characters": fill("\x01"),
}


def timed(text: str) -> tuple[float, int]:
    """Seconds for one check, and how many findings it had."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        start = time.perf_counter()
        found = findings(path)
        return time.perf_counter() - start, len(found)


def main() -> None:
    """Print a line a case, and the slowest."""
    seconds, found = timed(large())
    print(f"{'3,000 lines, good':28} {seconds:6.3f} s  {found} findings")
    slowest = ("", 0.0)
    for name, make in HOSTILE.items():
        seconds, found = timed(make())
        slowest = max(slowest, (name, seconds), key=lambda pair: pair[1])
        print(f"{'1 MB of ' + name:28} {seconds:6.3f} s  {found} findings")
    print(f"slowest: {slowest[0]}, {slowest[1] / ASKED:.2f} of the {ASKED} s that are asked for")


if __name__ == "__main__":
    main()
