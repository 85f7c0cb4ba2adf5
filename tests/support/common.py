"""What many tests share: a small policy, and the way from its text to the linked one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vsr_compiler import ir
from vsr_compiler.cli.main import command
from vsr_compiler.link import link
from vsr_compiler.syntax import load
from vsr_compiler.syntax.data import parse
from vsr_compiler.targets import profiles
from vsr_schemas.policy.v1alpha1 import PolicySpec

ROOT = Path(__file__).resolve().parents[2]

SMALL = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: small}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  one: {vllm: {}}
  two: {service: {name: two, port: 8000}}
models:
  big: {checkpoint: example/big, endpoints: [one]}
  little: {endpoints: [two]}
categories:
  math: {description: Numbers and proofs., examples: ["Solve x + 1 = 2.", "Integrate x^2."]}
  law: {description: Courts and contracts., examples: ["Is the contract valid?", "Who can sue?"]}
routes:
  - name: math
    when: {category: math}
    model: little
default: big
"""


def linked(text: str = SMALL, name: str = "policy.yaml") -> ir.Policy:
    """The linked form of a policy's text."""
    document = load(text, name)
    return link(document, parse(document, PolicySpec), profiles())


def call(*arguments: str | Path, stdin: str | None = None) -> Result:
    """Run `vsr-compile` in this process, stdout and stderr apart. A traceback is the test's failure."""
    return CliRunner().invoke(command, list(map(str, arguments)), input=stdin, catch_exceptions=False)


def required(present: object, what: str) -> None:
    """Skip where something is missing on a developer's machine; fail where it is CI's."""
    if not present:
        message = f"{what} is not on this machine"
        if os.environ.get("CI"):
            pytest.fail(f"{message}, and CI must have it")
        pytest.skip(message)


def kubectl() -> str:
    """The path of kubectl."""
    path = shutil.which("kubectl")
    required(path, "kubectl")
    return path or ""


def reference() -> Path:
    """The folder of reference data that some checks use; it is not part of the repository.

    Skips if ``VSR_REFERENCE`` is not set. A variable that names no folder is an error.
    """
    if "VSR_REFERENCE" not in os.environ:
        pytest.skip("VSR_REFERENCE does not name the reference data")
    path = Path(os.environ["VSR_REFERENCE"])
    assert path.is_dir(), f"VSR_REFERENCE: {path} is not a folder"
    return path
