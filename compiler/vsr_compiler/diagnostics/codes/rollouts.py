"""Codes about stepwise rollouts of the router."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

_ROUTER = 'router: {image: "registry.example/vsr-runtime:0.1.0", '

CODES = {
    "VSR592": Code(
        title="rollout whose steps cannot be followed",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The weights of `rollout.steps` do not rise, a weight is less than one replica, a step with an "
        "analysis is shorter than two minutes, or old and new pods cannot run together.",
        reason="A step is a number of pods. More requests than the policy says would reach the new ones, or nothing "
        "could be measured.",
        fix="Use rising weights of at least one pod, more replicas, or longer pauses.",
        example=Example(f"""\
{_ROUTER}replicas: 4, rollout: {{controller: argo-rollouts, steps: [{{weight: 10, pause: 10m}}]}}}}
environments: {{prod: {{target: istio}}}}
"""),
    ),
    "VSR593": Code(
        title="rollout that another word contradicts",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The policy has `rollout`, and `reload: hot` or `engine: semantic-router`.",
        reason="With `reload: hot` all pods change at once. The semantic-router has not the metrics that are judged.",
        fix="Remove one of the two.",
        example=Example(f"""\
{_ROUTER}reload: hot, rollout: {{controller: argo-rollouts, steps: [{{weight: 50, pause: 10m}}]}}}}
environments: {{prod: {{target: istio}}}}
"""),
    ),
    "VSR594": Code(
        title="controller that cannot roll out the router",
        severity="error",
        stage=Stage.LINK,
        meaning="The policy has `rollout.controller: flagger`.",
        reason="Flagger moves requests by weighted routes, and a gateway's filter calls the router by one Service. "
        "Without routes it switches at once: the new pods are never judged by requests of clients.",
        fix="Use `controller: argo-rollouts`, which also runs on clusters that Flux manages.",
        example=Example(f"""\
{_ROUTER}rollout: {{controller: flagger, steps: [{{weight: 50, pause: 10m}}]}}}}
"""),
    ),
    "VSR619": Code(
        title="rollout without analysis",
        severity="warning",
        stage=Stage.TARGETS,
        meaning="`rollout` has steps and no `analysis`.",
        reason="The steps only wait. Unless somebody stops the rollout, a faulty configuration replaces the old one.",
        fix="Add `analysis: {prometheus: URL}`.",
        example=Example(f"""\
{_ROUTER}rollout: {{controller: argo-rollouts, steps: [{{weight: 50, pause: 10m}}]}}}}
environments: {{prod: {{target: istio}}}}
"""),
    ),
}
