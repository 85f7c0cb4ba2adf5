"""How long `vsr-compile verify` takes, how that grows with the objects, and how long `kubectl kustomize` takes.

With the folder of CustomResourceDefinitions in ``VSR_CRDS``, schemas and CEL rules are part of it. ``--kubectl`` is the
number of objects up to which kubectl builds the tree: its time grows with the square of the objects.

Run: ``VSR_CRDS=DIR python benchmarks/verify.py [--objects 1000 5000 20000] [--kubectl 5000]``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = ROOT / "out" / "llm-d" / "llm-d" / "base"
RUNS = 3
VERIFY = [sys.executable, "-c", "from vsr_compiler.cli import main; main()", "verify", "--no-envoy"]


@dataclass(frozen=True)
class Run:
    """What one program took: seconds by the clock and by the processor, and its largest memory in MiB."""

    clock: float
    processor: float
    memory: float
    output: bytes


def main() -> None:
    """Measure copies of one compiled base, and many pools whose selectors match the pods of many Deployments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[1000, 5000, 19500])
    parser.add_argument("--kubectl", type=int, default=5000)
    arguments = parser.parse_args()
    first: tuple[int, Run] | None = None
    for wanted in arguments.objects:
        with tempfile.TemporaryDirectory() as folder:
            stream, count = written(Path(folder), wanted)
            (Path(folder) / "stream.yml").write_bytes(stream)
            checked = measured([*VERIFY, str(Path(folder) / "stream.yml"), "--versions", "current"])
            line = f"{count} objects: {shown(checked)}"
            if first is None:
                first = count, checked
            else:
                line += f", {checked.processor / first[1].processor:.1f} times the time of {first[0]}"
                line += f" for {count / first[0]:.1f} times the objects"
            if count <= arguments.kubectl * 1.1:
                built = measured(["kubectl", "kustomize", folder], runs=RUNS if first[0] == count else 1)
                line += f"; kubectl kustomize {built.clock:.1f} s, ratio {checked.clock / built.clock:.2f}"
            print(line, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pools.yml"
        path.write_text("---\n".join(pools(2500)), encoding="utf-8")
        print(f"2,500 pools that select the pods of 2,500 Deployments: {shown(measured([*VERIFY, str(path)]))}")


def shown(run: Run) -> str:
    """Return what a program took, for people."""
    return f"{run.clock:.2f} s ({run.processor:.2f} s of processor), {run.memory:.0f} MiB"


def written(tree: Path, wanted: int) -> tuple[bytes, int]:
    """Copy one compiled base into many namespaces; return all objects as one stream, and their number."""
    files = {
        path.relative_to(BASE): path.read_text(encoding="utf-8") for path in BASE.rglob("*.yaml") if path.parent != BASE
    }
    copies = max(1, round(wanted / len(files)))
    stream = []
    for number in range(copies):
        for path, text in files.items():
            copied = re.sub(r"\bdefault\b", f"space-{number}", text).replace("vllm-s", f"v{number}-s")
            target = tree / f"copy-{number}" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(copied, encoding="utf-8")
            stream.append(copied)
        shutil.copyfile(BASE / "kustomization.yaml", tree / f"copy-{number}" / "kustomization.yaml")
    names = "".join(f"- copy-{number}\n" for number in range(copies))
    (tree / "kustomization.yaml").write_text(f"resources:\n{names}", encoding="utf-8")
    return "\n---\n".join(stream).encode(), len(stream)


def pools(count: int) -> list[str]:
    """Return Deployments and pools of which each selects all pods."""
    container = "{name: vllm, image: 'vllm/vllm-openai:v0.17.0', ports: [{containerPort: 8000}]}"
    pods = f"{{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{container}]}}}}"
    selector = "selector: {matchLabels: {app: x}}"
    picker = "endpointPickerRef: {name: picker, port: {number: 9002}}"
    texts = []
    for number in range(count):
        server = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: s{number}, namespace: models}}\n"
        pool = "apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\n"
        texts.append(f"{server}spec: {{{selector}, template: {pods}}}\n")
        metadata = f"metadata: {{name: p{number}, namespace: models}}\n"
        texts.append(f"{pool}{metadata}spec: {{{selector}, targetPorts: [{{number: 8000}}], {picker}}}\n")
    return texts


def measured(command: list[str], runs: int = RUNS) -> Run:
    """Return the fastest of several runs."""
    return min((once(command) for _ in range(runs)), key=lambda run: run.processor)


def once(command: list[str]) -> Run:
    """Run a program and return what it took."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        clock = time.perf_counter() - start
        output.seek(0)
        return Run(clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read())


if __name__ == "__main__":
    main()
