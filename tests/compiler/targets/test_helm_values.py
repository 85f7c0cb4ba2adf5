"""What a target hands to Helm: files beside its objects, an environment's own only where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from support import rendering
from support.common import SMALL, linked
from vsr_compiler import ir
from vsr_compiler.pipeline import Compiled, compile_policy
from vsr_compiler.review.explain import origins
from vsr_compiler.targets import TARGETS
from vsr_compiler.targets.common.helm import Values

ENVIRONMENTS = "environments:\n  dev: {target: istio, replicas: {router: 3}}\n  prod: {target: istio}\n"


def chart(policy: ir.Policy) -> Values:
    """Values with a number that environments set."""
    return Values("example", {"replicas": policy.router.replicas}, policy.router.span)


@pytest.fixture
def compiled() -> Iterator[Compiled]:
    """A policy whose target has values for a chart."""
    with rendering.replaced(replace(TARGETS["istio"], charts=(chart,))):
        yield compile_policy(linked(SMALL + ENVIRONMENTS), lambda _: None)


def test_the_target_has_a_file_and_an_environment_only_where_it_differs(compiled: Compiled) -> None:
    """`dev` has other replicas than the policy, `prod` has none of its own."""
    files = {path: file.content.decode() for path, file in compiled.tree.items() if "/helm/" in path}
    assert sorted(files) == ["istio/helm/dev/values-example.yaml", "istio/helm/values-example.yaml"]
    assert files["istio/helm/values-example.yaml"].endswith("\nreplicas: 2\n")
    assert files["istio/helm/dev/values-example.yaml"].endswith("\nreplicas: 3\n")


def test_they_are_no_objects_and_no_kustomization_names_them(compiled: Compiled) -> None:
    """Nothing applies them, and `explain` leads to where they came from all the same."""
    path = "istio/helm/values-example.yaml"
    assert compiled.tree[path].identity == ""
    assert not any(b"values-" in file.content for path, file in compiled.tree.items() if "kustomization" in path)
    assert origins(compiled, path, ())[0].span == compiled.policy.router.span
