"""Codes about regions and clusters: what the output of one may refer to, and in which order they get a change."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

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
    "VSR567": Code(
        title="host of another region",
        severity="error",
        stage=Stage.VERIFY,
        meaning=(
            "An object, Helm values or a router configuration refers to a host in a region that `residency` does not "
            "allow, or to one outside the cluster that the policy does not define. An unknown URL in a container or in "
            "values is a warning."
        ),
        reason="A patch, or an object that others add, sends prompts or responses out of the region.",
        fix="Remove it, define the host in the policy with its `region`, or allow the region in `residency`.",
        example=Example(
            "vsr-compile verify out/shop --policy policies/shop.yaml",
            Kind.COMMAND,
            output=(
                "out/shop/istio/overlays/prod-paris/us.yaml:6:5: error VSR567: ServiceEntry `default/us` refers to "
                "api.us.example.com, which is outside the cluster, in a region that nobody knows, and the environment "
                "`prod-paris` in `eu` may refer only to `eu`"
            ),
        ),
    ),
}
