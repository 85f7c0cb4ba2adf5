"""What tests of environments, Argo CD and reviews share: compiles in memory, written trees, what kubectl builds."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support.common import SMALL, kubectl, linked
from vsr_compiler import ir
from vsr_compiler.deploy.output.write import write
from vsr_compiler.diagnostics import Span
from vsr_compiler.pipeline import Compiled, compile_policy

HERE = Span("policy.yaml", 1, 1)
PLAIN = SMALL[: SMALL.index("categories:")] + "default: big\n"
"""Two models and nothing to classify: it compiles without training a head."""
GITOPS = ir.GitOps("https://git.example.com/team/routing.git", "main", ".", "https://prod.example.com", "argocd", HERE)
PROD = ir.Environment(
    "prod",
    "istio",
    HERE,
    replicas={"one": 3, "router": 4},
    images={"one": "registry.example/vllm:1", "router": "registry.example/router:2"},
    resources={"router": ir.Resources({"cpu": "2"}, {"memory": "2Gi"})},
)
ELSEWHERE = ir.Environment("elsewhere", "istio", HERE, gateway_name="edge", gateway_namespace="ingress")
DEV = ir.Environment("dev", "istio", HERE)


def with_environments(*environments: ir.Environment, text: str = PLAIN, gitops: ir.GitOps | None = GITOPS) -> ir.Policy:
    """A linked policy with these environments. Those on a Gateway that exists are attached to one of Istio."""
    named = tuple(_attached(one) for one in environments)
    attachment = next((one.attachment for one in named if one.attachment is not None), None)
    return replace(linked(text), environments=named, gitops=gitops, attachment=attachment)


def _attached(environment: ir.Environment) -> ir.Environment:
    if environment.target != ir.ATTACH or environment.attachment is not None:
        return environment
    return replace(environment, attachment=ir.Attachment("any", "x-gateway-model-name", "istio", HERE))


def compiled(policy: ir.Policy) -> Compiled:
    """A compile from nothing."""
    return compile_policy(policy, lambda _: None)


def written(result: Compiled, out: Path) -> Path:
    """The compile on the disk; returns the policy's folder."""
    write(out, result.tree, result.lock)
    return out / result.policy.name


def build(folder: Path) -> str:
    """What `kubectl kustomize` prints."""
    return subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=True).stdout


def documents(text: str) -> set[str]:
    """The documents of a stream, each with its final newline."""
    return {document.strip("\n") + "\n" for document in text.split("\n---\n")}


def bodies(text: str) -> list[dict[str, Any]]:
    """The objects of a stream."""
    return list(YAML(typ="safe").load_all(text))
