"""Measures whole compiles beside ``kubectl kustomize``, kapitan and cdk8s: policies of many models on Services, istio.

Run: ``python benchmarks/compile.py [models ...]``. Ratios count, not seconds: they hold on any machine.
Asked: compile(1,000) ≤ 0.5 of ``kubectl kustomize`` of its own output; time(4,000) / time(1,000) ≤ 5; the quickstart
≤ 0.5 s with its classifier head reused and ≤ 6 s without. ``PEERS_PYTHON`` names an interpreter that has kapitan and
cdk8s, where they cannot live beside our own dependencies.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = os.environ.get("PEERS_PYTHON", sys.executable)
COMPILE = [sys.executable, "-c", "from vsr_compiler.cli import main; main()"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: many}
router: {image: "registry.example/vsr-runtime:0.1.0"}
"""


def policy(models: int) -> str:
    """A policy of many models, each on a Service that exists already."""
    endpoints = "".join(f"  e{number}: {{service: {{name: e{number}, port: 8000}}}}\n" for number in range(models))
    names = "".join(f"  m{number}: {{endpoints: [e{number}]}}\n" for number in range(models))
    return f"{HEAD}endpoints:\n{endpoints}models:\n{names}default: m0\n"


def seconds(command: list[str], folder: Path, rounds: int = 3, *, fresh: str = "") -> float:
    """The shortest of several runs. ``fresh`` names a folder that is removed before each."""
    times = []
    for _ in range(rounds):
        if fresh:
            shutil.rmtree(folder / fresh, ignore_errors=True)
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


LARGE = 1000
"""Models over which kustomize, which is quadratic, is run once only."""


def many(folder: Path, models: int) -> float:
    """One size: a compile into nothing, one that changes nothing, and kustomize on the result."""
    (folder / "policy.yaml").write_text(policy(models), encoding="utf-8")
    cold = seconds([*COMPILE, "policy.yaml"], folder, fresh="out")
    idle = seconds([*COMPILE, "policy.yaml"], folder)
    line = f"{models:5} models   compile {cold:6.2f} s   again, nothing changed {idle:6.2f} s"
    if shutil.which("kubectl"):
        runs = 1 if models > LARGE else 3
        theirs = seconds(["kubectl", "kustomize", "out/many/istio/overlays/dev"], folder, runs)
        line += f"   kubectl kustomize {theirs:6.2f} s   ratio {cold / theirs:5.2f}"
    print(line, flush=True)
    return cold


def quickstart(folder: Path) -> None:
    """The policy that people start from, with its head reused and trained anew."""
    shutil.copy(ROOT / "policies" / "quickstart.yaml", folder / "policy.yaml")
    trained = seconds([*COMPILE, "policy.yaml"], folder, 1, fresh="out")
    reused = seconds([*COMPILE, "policy.yaml"], folder)
    print(f"quickstart     head reused {reused:6.2f} s (asked: 0.50)   head trained {trained:6.2f} s (asked: 6.00)")


CDK8S = """
import cdk8s
app = cdk8s.App(outdir="cdk8s", yaml_output_type=cdk8s.YamlOutputType.FILE_PER_RESOURCE)
chart = cdk8s.Chart(app, "many")
for body in OBJECTS:
    cdk8s.ApiObject(chart, body["metadata"]["name"], api_version=body["apiVersion"], kind=body["kind"],
        metadata={"name": body["metadata"]["name"], "namespace": "default"}).add_json_patch(
        cdk8s.JsonPatch.add("/spec", body["spec"]))
app.synth()
"""
KADET = """
from kapitan.inputs import kadet
def main():
    out = kadet.BaseObj()
    for body in OBJECTS:
        out.root[body["metadata"]["name"]] = kadet.BaseObj.from_dict(body)
    return out
"""
TARGET = """
parameters:
  target_name: many
  kapitan:
    vars: {target: many}
    compile:
    - {input_type: kadet, output_path: manifests, input_paths: [components/many], output_type: yml}
"""


def route(number: int) -> dict[str, object]:
    """The HTTPRoute of a model as our compile writes it."""
    match = {
        "path": {"type": "PathPrefix", "value": "/"},
        "headers": [{"name": "x-selected-model", "value": f"m{number}"}],
    }
    backend = {"kind": "Service", "name": f"e{number}", "port": 8000, "weight": 1}
    spec = {"parentRefs": [{"name": "inference-gateway"}], "rules": [{"matches": [match], "backendRefs": [backend]}]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": f"m{number}"},
        "spec": spec,
    }


def peers(folder: Path, models: int, ours: float) -> None:
    """Generators of other projects on the same HTTPRoutes and nothing else, where they can be imported."""
    objects = (
        "import json\nOBJECTS = json.loads(r'''" + json.dumps([route(number) for number in range(models)]) + "''')\n"
    )
    (folder / "many.py").write_text(objects + CDK8S, encoding="utf-8")
    for path, text in {"components/many/__init__.py": objects + KADET, "inventory/targets/many.yml": TARGET}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "inventory" / "classes").mkdir()
    commands = {"cdk8s": [PEERS, "many.py"], "kapitan": [PEERS, "-m", "kapitan", "compile"]}
    for name, command in commands.items():
        if subprocess.run([PEERS, "-c", f"import {name}"], capture_output=True, check=False).returncode:
            print(f"{name:8} is not installed: pip install {name} to compare")
            continue
        try:
            theirs = seconds(command, folder, 1)
        except subprocess.CalledProcessError as error:
            print(f"{name:8} failed: {error.stderr.decode(errors='replace').strip().splitlines()[-1][:200]}")
            continue
        print(f"{name:8} {models} HTTPRoutes {theirs:6.2f} s   ours, everything, {ours / theirs:5.2f} x that")


def main(sizes: list[int]) -> None:
    """Prints a line a case."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Whoever installs the program has its bytecode; the first of several runs makes it here.
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        times = {models: many(folder, models) for models in sizes}
        if {1000, 4000} <= times.keys():
            print(f"time(4,000) / time(1,000) = {times[4000] / times[1000]:.2f} (asked: 5)")
        peers(folder, sizes[min(1, len(sizes) - 1)], times[sizes[min(1, len(sizes) - 1)]])
        quickstart(folder)


if __name__ == "__main__":
    main(list(map(int, sys.argv[1:])) or [200, 1000, 4000])
