"""A stand with a policy as it was compiled, before scripted backends, for the tests of one feature."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gateway_client import Running
from scripted import Scripted
from slow import Slow

from compiler.output.write import write
from compiler.pipeline import compile_policy, read_policy
from runtime.local import LocalStand, stand


@contextmanager
def compiled_stand(
    folder: Path,
    policy: str,
    kind: type[Running] = Running,
    *,
    transport: str | None = None,
    backend: type[Scripted | Slow] = Scripted,
) -> Iterator[Running]:
    """The stand, serving, and what it logs.

    Args:
        folder: Where policy and output go.
        policy: The text of the policy.
        kind: What asks it.
        transport: By which the router serves; by default what it takes by itself.
        backend: What stands in for each model.
    """
    path = folder / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    compiled = compile_policy(read_policy(path), lambda _: None)
    write(folder / "out", compiled.tree, compiled.lock)
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stand, "Backend", backend)
        serve = (sys.executable, "-P", "-m", "runtime.cli", "serve", *(("--transport", transport) if transport else ()))
        directory = folder / "out" / compiled.policy.name / "local"
        with LocalStand(directory, serve=serve, on_log=lines.append) as local:
            yield kind(local, lines)
