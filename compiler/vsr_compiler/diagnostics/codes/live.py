"""Codes about what a cluster has of a policy's output, which ``status`` reports."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

_COMMAND = "vsr-compile status out/quickstart --env dev"

CODES = {
    "VSR573": Code(
        title="cluster that cannot be asked",
        severity="error",
        stage=Stage.LIVE,
        meaning="There is no such environment or context, or the API server does not answer in time.",
        reason="It is not known whether the policy is live.",
        fix="Correct `--env` or `--context`, and check that the cluster responds.",
        example=Example(
            f"{_COMMAND} --context staging",
            Kind.COMMAND,
            output="cluster: error VSR573: no cluster found: Expected object with name staging in contexts list",
        ),
    ),
    "VSR574": Code(
        title="object that a cluster does not have",
        severity="error",
        stage=Stage.LIVE,
        meaning="An object of the output is not in the cluster.",
        reason="It was never applied, or somebody has deleted it.",
        fix="Apply the overlay, or look at Argo CD or Flux.",
        example=Example(
            _COMMAND,
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:29:3: error VSR574: HTTPRoute `default/phi4-mini`, made from model "
                "`phi4-mini`, is not in the cluster"
            ),
        ),
    ),
    "VSR575": Code(
        title="kind that a cluster does not have",
        severity="error",
        stage=Stage.LIVE,
        meaning="The cluster does not have the kind of an object in the version of the output.",
        reason="Its CustomResourceDefinition is not installed, or is of another release.",
        fix="Install the CustomResourceDefinition of the release that the output is compiled for.",
        example=Example(
            _COMMAND,
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:12:1: error VSR575: Gateway `default/inference-gateway`, made from the "
                "gateway `inference-gateway`, cannot exist: the cluster does not have Gateway of "
                "gateway.networking.k8s.io/v1"
            ),
        ),
    ),
    "VSR576": Code(
        title="object that differs from the output",
        severity="error",
        stage=Stage.LIVE,
        meaning="An object in the cluster is not what the output says, or the API server would refuse the output.",
        reason="Somebody has changed it, or the output was not applied since it changed.",
        fix="Apply the output again, or change the policy.",
        example=Example(
            _COMMAND,
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:9:1: error VSR576: Deployment `vllm-semantic-router-system/semantic-router`, "
                "made from the router, differs from the output: `spec.replicas` is 1 instead of 2, set by kubectl-edit"
            ),
        ),
    ),
    "VSR577": Code(
        title="object that is not in force",
        severity="error",
        stage=Stage.LIVE,
        meaning="A controller refuses an object, has not accepted it yet, or its pods are not available.",
        reason="The cluster has the object, but does not do what it says.",
        fix="Correct what the condition names, or wait.",
        example=Example(
            _COMMAND,
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:29:3: error VSR577: HTTPRoute `default/phi4-mini`, made from model "
                "`phi4-mini`, is not in force: Gateway `inference-gateway`: Accepted is False: NotAllowedByListeners"
            ),
        ),
    ),
    "VSR578": Code(
        title="pod of the router that is stale or not ready",
        severity="error",
        stage=Stage.LIVE,
        meaning="A pod of the router was started with another configuration than the output's, or takes no requests.",
        reason="Some requests are decided by another version of the policy, or by nobody.",
        fix="Wait for the rollout, or look at the events and logs of the pods.",
        example=Example(
            _COMMAND,
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:9:1: error VSR578: the router's pod "
                "`vllm-semantic-router-system/semantic-router-6d9f-x2x7p` runs with the configuration "
                "`semantic-router-config-0f3a1b2c4d` instead of `semantic-router-config-a5e5be20a4`"
            ),
        ),
    ),
    "VSR579": Code(
        title="part of a cluster that may not be read",
        severity="error",
        stage=Stage.LIVE,
        meaning="The account may not read an object or list pods. As a note: it may not make dry runs.",
        reason="It is not known whether this part of the policy is live.",
        fix="Grant the permissions that `vsr-compile status --rbac` prints.",
        example=Example(
            _COMMAND,
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:12:1: error VSR579: Gateway `default/inference-gateway`, made from the "
                "gateway `inference-gateway`, cannot be read: gateways.gateway.networking.k8s.io is forbidden"
            ),
        ),
    ),
}
