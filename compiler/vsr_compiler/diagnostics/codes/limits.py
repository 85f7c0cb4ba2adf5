"""Codes about limits of use, and about regions."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR277": Code(
        title="limit that cannot be counted as written",
        severity="error",
        stage=Stage.LINK,
        meaning="Two settings of a limit exclude each other, or what it counts by is not known of a request.",
        reason="The limit would count nothing, or everybody together.",
        fix="Follow the hint of the message.",
        example=Example("""\
limits:
  - {per: key, requests: 100, window: 1m}
"""),
    ),
    "VSR278": Code(
        title="limit in dollars on a model without price",
        severity="error",
        stage=Stage.LINK,
        meaning="A limit in `dollars` counts requests to a model that has no `price`.",
        reason="Requests to this model would cost nothing, and never reach the limit.",
        fix="Add `price` to the model, or name other models in the limit's `for`.",
        example=Example("""\
limits:
  - {per: model, dollars: 20, window: 1d}
"""),
    ),
    "VSR279": Code(
        title="limit that counts no request",
        severity="warning",
        stage=Stage.LINK,
        meaning="No request to a model that a limit names can be one that it counts.",
        reason="A limit that is never reached protects nothing.",
        fix="Correct its `for`, or remove it.",
        example=Example("""\
limits:
  - {per: model, for: {model: small}, requests: 100, window: 1m, over: {route: small}}
"""),
    ),
    "VSR296": Code(
        title="limits that lead back",
        severity="error",
        stage=Stage.LINK,
        meaning="Limits with `over: {route: …}` lead a request from model to model, and back to one of them.",
        reason="No model would be left for the request when all of these limits are reached.",
        fix="Let the last model of the chain refuse requests: `over: deny`.",
        example=Example("""\
limits:
  - {per: model, for: {model: small}, requests: 100, window: 1m, over: {route: big}}
  - {per: model, for: {model: big}, requests: 100, window: 1m, over: {route: small}}
"""),
    ),
    "VSR297": Code(
        title="limit that replicas cannot share",
        severity="error",
        stage=Stage.LINK,
        meaning="A limit in requests or tokens is lower than the number of the router's replicas.",
        reason="Each replica allows its share of the limit, which would be none.",
        fix="Raise the limit, or use fewer replicas.",
        example=Example("""\
router: {image: "registry.example.com/vsr:1.0.0", replicas: 3}
limits:
  - {per: model, requests: 2, window: 1m}
"""),
    ),
    "VSR298": Code(
        title="limits of the stock router",
        severity="error",
        stage=Stage.LINK,
        meaning="The policy has `limits`, and its router is `semantic-router`.",
        reason="The stock router counts nothing, so that nothing would be limited.",
        fix="Use `router.engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router}
limits:
  - {per: model, requests: 100, window: 1m}
"""),
    ),
    "VSR337": Code(
        title="limit that the gateway cannot count",
        severity="error",
        stage=Stage.TARGETS,
        meaning="A limit has `countedBy: gateway`, and the gateway of the target cannot count it.",
        reason="The limit would not hold, or each proxy would allow all of it.",
        fix="Use `countedBy: router`, or another target.",
        example=Example("""\
gateway: {redis: "redis.cache:6379"}
limits:
  - {per: model, requests: 100, window: 1m, countedBy: gateway}
"""),
    ),
    "VSR338": Code(
        title="what limits of the gateway need of the cluster",
        severity="note",
        stage=Stage.TARGETS,
        meaning="The gateway counts in a Redis that the compiler does not write.",
        reason="Without it Envoy cannot ask whether a limit is reached, and refuses requests.",
        fix="Run Redis at `gateway.redis`, and install the gateway with the values in the target's folder.",
        example=Example("""\
gateway: {redis: "redis.cache:6379"}
limits:
  - {per: model, requests: 100, window: 1m, countedBy: gateway}
environments:
  dev: {target: envoy-gateway}
"""),
    ),
    "VSR299": Code(
        title="region that nothing is in",
        severity="error",
        stage=Stage.LINK,
        meaning="An assertion names a region that no endpoint and no environment has.",
        reason="Everything is outside of such a region and nothing inside. Often the name is misspelt.",
        fix="Correct the name, or add `region` to endpoints or environments.",
        example=Example("""\
assertions:
  - {never: {to: {inside: mars}}}
"""),
    ),
}
