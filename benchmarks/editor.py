"""How long a policy of 3,000 lines takes in an editor: a check, a renaming, a completion.

Run: ``python benchmarks/editor.py``; the best of three, in milliseconds of CPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from check import large

from vsr_compiler.editor.workspace import Workspace

FILE = "policy.yaml"


def best(work: Callable[[], object]) -> float:
    """The least of three."""
    times = []
    for _ in range(3):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return min(times) * 1000


def main() -> None:
    """Print the table."""
    text = large()
    workspace = Workspace({FILE: text})
    lines = text.split("\n")
    last = next(number for number, line in enumerate(lines, 1) if line.startswith("  m999:"))
    found = len(workspace.findings(FILE))
    print(f"{len(lines):,} lines, {found} findings")
    print(f"check   {best(lambda: workspace.findings(FILE)):7.1f} ms")
    print(f"rename  {best(lambda: workspace.rename(FILE, last, 3, 'renamed')):7.1f} ms")
    print(f"words   {best(lambda: workspace.words(FILE, len(lines) - 1, 10)):7.1f} ms")


if __name__ == "__main__":
    main()
