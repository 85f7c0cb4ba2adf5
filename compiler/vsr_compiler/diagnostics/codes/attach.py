"""Codes about endpoints of others, and about Gateways that exist already."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR360": Code(
        title="endpoint of others that the target cannot reach",
        severity="error",
        stage=Stage.TARGETS,
        meaning="An endpoint is an InferencePool or a route that exists already, and the target has no way to it.",
        reason="Requests to its models would reach nothing.",
        fix="Use a target with pools, or the target attach; or describe the endpoint by its Service or pods.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {pool: {existing: small-pool, namespace: models}}
"""),
    ),
    "VSR361": Code(
        title="what a Gateway of others cannot do",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The policy asks for something that needs routes, keys or counts of our own on a Gateway of others.",
        reason="The routes of an existing Gateway are those of others. They have one header and one value for a model.",
        fix="Follow the hint of the message, or use a target with a Gateway of its own.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", onFailure: default-model}
environments:
  prod: {target: attach, to: kserve}
"""),
    ),
    "VSR362": Code(
        title="setting without effect on a Gateway of others",
        severity="warning",
        stage=Stage.TARGETS,
        meaning="On the target attach, an endpoint or a listener has settings that others decide.",
        reason="The Gateway, its routes and the servers behind them exist already, and none of them is written.",
        fix="See that the owner of the Gateway has what you need, or remove the setting.",
        example=Example("""\
environments:
  prod: {target: attach, to: kserve}
"""),
    ),
    "VSR363": Code(
        title="routes that do not wait for the router",
        severity="note",
        stage=Stage.TARGETS,
        meaning="Routes of others match a header that a client can send where the router's filter does not run.",
        reason=(
            "Routes of the compiler require a mark that only its own filter sets. Routes of others do not, so a "
            "listener without the filter leads to the models without the policy. It is a warning if the policy has "
            "guards or `identity`."
        ),
        fix="Let these routes attach only to listeners on which the router's filter runs.",
        example=Example("""\
environments:
  prod: {target: attach, to: gke}
"""),
    ),
    "VSR364": Code(
        title="attachment that cannot be",
        severity="error",
        stage=Stage.LINK,
        meaning="`to`, `header` or `gateway.controller` of an environment are for the target attach, or name a header "
        "that has another meaning.",
        reason="They would have no effect, or break requests.",
        fix="Set `target: attach`, or remove them; name the header that the routes of others match.",
        example=Example("""\
environments:
  prod: {target: istio, to: kserve}
"""),
    ),
}
