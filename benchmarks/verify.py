"""How long `vsr-compile verify` takes over a thousand objects, beside `kubectl kustomize` of the same tree.

With the folder of CustomResourceDefinitions in ``VSR_CRDS``, schemas and CEL rules are part of it; without, links only.

Run: ``VSR_CRDS=DIR python benchmarks/verify.py``.
"""

from __future__ import annotations

import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIES, RUNS = 26, 5
VERIFY = [sys.executable, "-c", "from vsr_compiler.cli import main; main()", "verify", "-", "--versions", "current"]


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
                text = re.sub(r"\bdefault\b", f"space-{number}", text)
                path.write_text(text.replace("vllm-s", f"v{number}-s"))
        (tree / "kustomization.yaml").write_text("resources:\n" + "".join(f"- {name}\n" for name in names))
        built, build, building = timed(["kubectl", "kustomize", folder], b"")
        count = built.count(b"\nkind: ")
        said = subprocess.run(VERIFY, input=built, capture_output=True, check=False, cwd=ROOT).stderr
        what = "links and Kubernetes' own kinds" if b"VSR440" in said else "links, schemas and CEL rules"
        _, verify, verifying = timed(VERIFY, built)
        print(f"{count} objects: {what}")
        print(f"  clock: verify {verify:.2f} s, kubectl kustomize {build:.2f} s, ratio {verify / build:.2f}")
        print(f"  processor: verify {verifying:.2f} s, kubectl kustomize {building:.2f} s")


def timed(command: list[str], data: bytes) -> tuple[bytes, float, float]:
    """What a command prints, and the medians of its seconds by the clock and by the processor."""
    clock, processor = [], []
    for _ in range(RUNS):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, input=data, capture_output=True, check=False, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        clock.append(time.perf_counter() - start)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return done.stdout, statistics.median(clock), statistics.median(processor)


if __name__ == "__main__":
    main()
