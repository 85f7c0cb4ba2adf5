"""Measures ``dump`` beside PyYAML's C emitter and ``json.dumps``: the same HTTPRoutes, the best of several rounds.

Run: ``python benchmarks/emit.py [objects] [rounds]``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vsr_compiler.manifests.yaml import dump


def route(number: int) -> dict[str, Any]:
    """An HTTPRoute of the size that one model has: two rules, header matches, two weighted backends, timeouts."""
    model = f"model-{number}"
    rule = {
        "matches": [
            {
                "headers": [{"name": "x-selected-model", "type": "Exact", "value": model}],
                "path": {"type": "PathPrefix", "value": "/v1"},
            }
        ],
        "filters": [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "x-served-by", "value": model}]},
            }
        ],
        "backendRefs": [
            {"group": "", "kind": "Service", "name": f"{model}-stable", "port": 8000, "weight": 90},
            {"group": "", "kind": "Service", "name": f"{model}-canary", "port": 8000, "weight": 10},
        ],
        "timeouts": {"request": "120s", "backendRequest": "110s"},
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": f"route-{number}",
            "namespace": "inference",
            "labels": {"app.kubernetes.io/managed-by": "vsr-compile", "app.kubernetes.io/part-of": "quickstart"},
            "annotations": {"argocd.argoproj.io/sync-wave": "1", "example.com/note": "a: note that must be quoted"},
        },
        "spec": {
            "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "inference"}],
            "hostnames": ["llm.example.com"],
            "rules": [rule, {**rule, "matches": [{"path": {"type": "Exact", "value": f"/models/{model}"}}]}],
        },
    }


def best(work: Callable[[], object], rounds: int) -> float:
    """The shortest of several runs, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main(count: int = 1000, rounds: int = 7) -> None:
    """Prints one line an emitter: milliseconds, and how many times as long as ours it takes."""
    routes = [route(number) for number in range(count)]
    start = time.perf_counter()
    size = sum(len(dump(one)) for one in routes)
    cold = (time.perf_counter() - start) * 1000
    ours = best(lambda: [dump(one) for one in routes], rounds)
    print(f"{count} HTTPRoutes, {size / count:.0f} bytes each")
    print(f"dump, first run       {cold:8.1f} ms")
    print(f"dump                  {ours:8.1f} ms")
    plain = best(lambda: [json.dumps(one, sort_keys=True, indent=2) for one in routes], rounds)
    print(f"json.dumps indent=2   {plain:8.1f} ms  {plain / ours:5.2f} x dump")
    try:
        import yaml  # noqa: PLC0415  # not a dependency; measured where it is installed
    except ImportError:
        print("PyYAML is not installed: pip install pyyaml to compare")
        return
    theirs = best(lambda: [yaml.dump(one, Dumper=yaml.CSafeDumper) for one in routes], min(rounds, 3))
    print(f"PyYAML CSafeDumper    {theirs:8.1f} ms  {theirs / ours:5.2f} x dump")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
