"""Codes about regions and clusters: what the output of one may refer to, and in which order they get a change."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR564": Code(
        title="environment without residency",
        severity="error",
        stage=Stage.LINK,
        meaning="The policy has `residency`, and an environment is in no region that it names.",
        reason="Nothing would check where its requests go.",
        fix="Set the environment's `region`, and list in `residency` the regions that it may refer to.",
        example=Example("""\
environments:
  prod: {target: istio, region: eu}
  dev: {target: istio, simulate: true}
residency: {eu: eu}
"""),
    ),
    "VSR565": Code(
        title="object of another region",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "The output of an environment would refer to an endpoint, a server of a classifier or a store in a region "
            "that `residency` does not allow it, or in an unknown one."
        ),
        reason="Prompts, responses or counts of clients would leave the region. A failover counts like any other use.",
        fix="Use one in the region, state its `region`, or allow the region in `residency`.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {external: {url: "https://api.example.com"}, region: us}
environments:
  prod: {target: istio, region: eu}
residency: {eu: eu}
"""),
    ),
    "VSR566": Code(
        title="unknown region",
        severity="error",
        stage=Stage.LINK,
        meaning="`residency` names a region in which nothing is.",
        reason="A misspelt region would restrict, or allow, nothing.",
        fix="Use the name that an environment, an endpoint, a store or a server has as its `region`.",
        example=Example("""\
environments:
  prod: {target: istio, region: eu}
residency: {ue: eu}
"""),
    ),
}
