"""What `diff` says of a change that Flux applies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.common import linked
from support.gitops_support import compiled
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import environment_changes
from vsr_compiler.review.rollout.flux import flux_changes
from vsr_schemas.reports_diff import RolloutChange

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router: {image: "r:1"}
gitops: {repo: "https://git.example.com/team/routing.git", flux: {}}
endpoints: {alpha: {vllm: {}}, beta: {vllm: {}}}
models:
  alpha-8b: {checkpoint: example/alpha, endpoints: alpha}
  beta-8b: {checkpoint: example/beta, endpoints: beta}
signals: {sums: {keywords: [sum]}}
routes: [{name: sums, when: {signal: sums}, model: beta-8b}]
default: alpha-8b
environments: {dev: {target: istio}, prod: {target: istio, server: "https://prod.example.com"}}
"""
NO_ROUTE = TEXT.replace("routes: [{name: sums, when: {signal: sums}, model: beta-8b}]\n", "")
NOTHING_OF_BETA = NO_ROUTE.replace(", beta: {vllm: {}}", "").replace(
    "  beta-8b: {checkpoint: example/beta, endpoints: beta}\n", ""
)


def changes(old: str, new: str) -> Iterator[RolloutChange]:
    """What `diff` says about Flux."""
    trees = [{path: file.content for path, file in compiled(linked(text)).tree.items()} for text in (old, new)]
    comparison = Comparison(*trees, "old")
    yield from flux_changes("shop", comparison, environment_changes(comparison))


def test_a_model_that_is_led_to_goes_in_two_commits() -> None:
    """The message names what would go too early, and where."""
    (found,) = changes(TEXT, NOTHING_OF_BETA)
    assert "in dev, prod" in found.text
    assert "HTTPRoute" in found.text
    assert len(found.steps) == 2


def test_in_steps_it_fails_as_long_as_old_pods_serve() -> None:
    """Each environment by its own rollout."""
    steps = "{controller: argo-rollouts, steps: [{weight: 50, pause: 20m}]}"
    old, new = (
        text.replace("prod: {", f"prod: {{replicas: {{router: 4}}, rollout: {steps}, ")
        for text in (TEXT, NOTHING_OF_BETA)
    )
    dev, prod = changes(old, new)
    assert "fail in dev: " in dev.text
    assert dev.text.endswith("still leads there")
    assert "fail in prod: " in prod.text
    assert "/semantic-router has pods of both versions, 20m or longer, and after an abort" in prod.text


@pytest.mark.parametrize(("old", "new"), [(TEXT, NO_ROUTE), (NO_ROUTE, NOTHING_OF_BETA), (NOTHING_OF_BETA, TEXT)])
def test_each_of_the_two_commits_and_the_way_back_is_one(old: str, new: str) -> None:
    """Nothing leads to the model any more when it goes."""
    assert not list(changes(old, new))


def test_without_flux_nothing_is_said_of_it() -> None:
    """Argo CD prunes in the end."""
    assert not list(changes(TEXT.replace(", flux: {}", ""), NOTHING_OF_BETA.replace(", flux: {}", "")))


def test_a_change_of_its_own_objects_is_applied_by_hand() -> None:
    """No Kustomization of ours applies them."""
    (found,) = changes(TEXT, TEXT.replace("flux: {}", "flux: {interval: 5m}"))
    assert "kubectl apply -k out/shop/flux/<environment>" in found.steps[0]
