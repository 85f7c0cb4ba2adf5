"""How long `vsr-compile verify` takes over a thousand objects, beside `kubectl kustomize` of the same tree.

Run: ``python benchmarks/verify.py``.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIES, RUNS = 26, 5
VERIFY = [sys.executable, "-c", "from compiler.cli import main; main()", "verify", "-"]


def main() -> None:
    """Copy one compiled base into many namespaces until there are a thousand objects, and measure both."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        names = []
        for number in range(COPIES):
            names.append(f"copy-{number}")
            shutil.copytree(ROOT / "out" / "llm-d" / "llm-d" / "base", tree / names[-1])
            for path in (tree / names[-1]).rglob("*.yaml"):
                if path.name == "kustomization.yaml":
                    continue
                text = path.read_text(encoding="utf-8")
                path.write_text(text.replace("default", f"space-{number}").replace("vllm-s", f"v{number}-s"))
        (tree / "kustomization.yaml").write_text("resources:\n" + "".join(f"- {name}\n" for name in names))
        built, build = timed(["kubectl", "kustomize", folder], b"")
        _, verify = timed(VERIFY, built)
        count = built.count(b"\nkind: ")
        print(f"{count} objects: verify {verify:.2f} s, kubectl kustomize {build:.2f} s, ratio {verify / build:.2f}")


def timed(command: list[str], data: bytes) -> tuple[bytes, float]:
    """What a command prints, and the median of its seconds."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, input=data, capture_output=True, check=False, cwd=ROOT)
        seconds.append(time.perf_counter() - start)
    return done.stdout, statistics.median(seconds)


if __name__ == "__main__":
    main()
