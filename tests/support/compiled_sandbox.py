"""A sandbox with a policy as it was compiled, before scripted backends, for the tests of one feature."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.gateway_client import Running
from support.scripted import Scripted
from support.slow import Slow
from vsr_compiler.deploy.output.write import write
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_runtime.sandbox import Sandbox, sandbox
from vsr_runtime.sandbox.bootstrap import localise


@contextmanager
def compiled_sandbox(
    folder: Path,
    policy: str,
    kind: type[Running] = Running,
    *,
    transport: str | None = None,
    backend: type[Scripted | Slow] = Scripted,
    edit: Callable[[dict[str, Any]], None] | None = None,
    target: str | None = None,
    fake_detectors: bool = False,
) -> Iterator[Running]:
    """The sandbox, serving, and what it logs.

    Args:
        folder: Where policy and output go.
        policy: The text of the policy.
        kind: What asks it.
        transport: By which the router serves; by default what it takes by itself.
        backend: What stands in for each model.
        edit: Changes Envoy's configuration before it starts, as other objects of a gateway do.
        target: The target whose settings the router gets, from its ConfigMap; by default the ones of ``router/``.
        fake_detectors: Whether fakes answer for servers that classify text.
    """
    path = folder / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    compiled = compile_policy(read_policy(path), lambda _: None)
    write(folder / "out", compiled.tree, compiled.lock)
    if target:
        name = next(item.name for item in compiled.policy.environments if item.target == target)
        maps = (item.body["data"] for item in compiled.environments[name] if item.kind == "ConfigMap")
        settings = next(data["runtime.yaml"] for data in maps if "runtime.yaml" in data)
        router = folder / "out" / compiled.policy.name / "router"
        (router / "runtime.yaml").write_text(settings, encoding="utf-8")
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "Backend", backend)
        if edit:
            patch.setattr(sandbox, "localise", lambda *given: _edited(localise(*given), edit))
        serve = (
            sys.executable,
            "-P",
            "-m",
            "vsr_runtime.cli",
            "serve",
            *(("--transport", transport) if transport else ()),
        )
        directory = folder / "out" / compiled.policy.name / "local"
        with Sandbox(directory, serve=serve, on_log=lines.append, fake_detectors=fake_detectors) as local:
            yield kind(local, lines)


def _edited(bootstrap: dict[str, Any], edit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    edit(bootstrap)
    return bootstrap
