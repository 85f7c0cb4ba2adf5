"""Codes about routes, their conditions, and assertions."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR230": Code(
        title="unreachable route",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="Every request that matches the route already matches a route that is evaluated earlier.",
        reason="The route never selects its model.",
        fix="Move the route up, raise its `priority`, or remove it.",
        example=Example("""\
routes:
  - {name: all, when: always, model: big}
  - {name: urgent, when: {signal: urgent}, model: small}
"""),
    ),
    "VSR231": Code(
        title="contradictory condition",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="No request can match the condition.",
        reason="The route never selects its model.",
        fix=(
            "Fix the condition. A request has at most one category, so two categories under `all` exclude each other."
        ),
        example=Example("""\
routes:
  - {name: urgent, when: {all: [{signal: urgent}, {not: {signal: urgent}}]}, model: small}
"""),
    ),
    "VSR232": Code(
        title="condition that is always true",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="Every request matches the condition.",
        reason="The condition suggests a distinction that does not exist.",
        fix="Write `when: always` if the route is meant for every request; otherwise fix the condition.",
        example=Example("""\
routes:
  - {name: urgent, when: {any: [{signal: urgent}, {not: {signal: urgent}}]}, model: small}
"""),
    ),
    "VSR233": Code(
        title="constant part of a condition",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A part of the condition is true for every request, or for none.",
        reason="The part has no effect, which is rarely intended.",
        fix="Remove the part, or fix it.",
        example=Example("""\
signals:
  urgent: {keywords: [urgent, asap]}
  long: {context: {min: 8192}}
  longer: {context: {min: 16384}}
routes:
  - {name: urgent, when: {all: [{signal: urgent}, {any: [{signal: long}, {not: {signal: longer}}]}]}, model: small}
"""),
    ),
    "VSR234": Code(
        title="overlapping routes of equal priority",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="Two routes have the same explicit `priority`, and some requests match both.",
        reason="The order in the file decides, although the priorities suggest that the order does not matter.",
        fix="Give the routes different priorities.",
        example=Example("""\
signals:
  urgent: {keywords: [urgent, asap]}
  long: {context: {min: 8192}}
routes:
  - {name: urgent, when: {signal: urgent}, model: small, priority: 5}
  - {name: long, when: {signal: long}, model: big, priority: 5}
"""),
    ),
    "VSR235": Code(
        title="category without a route",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="No condition refers to the category.",
        reason="The classifier is trained on a category that does not influence routing.",
        fix="Add a route for the category, or remove it.",
        example=Example("""\
categories:
  math: {description: Numbers., examples: [Solve x + 1 = 2., Integrate x^2.]}
  law: {description: Courts., examples: ["Who can sue?", "Is the contract valid?"]}
routes:
  - {name: math, when: {category: math}, model: small}
  - {name: urgent, when: {signal: urgent}, model: small}
"""),
    ),
    "VSR236": Code(
        title="model that no route selects",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="Neither a route nor `default` selects the model; only clients that name it reach it.",
        reason="The model costs resources and is probably missing from a route.",
        fix="Select the model in a route, or remove it.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: big}
"""),
    ),
    "VSR238": Code(
        title="unused definition",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="Nothing refers to the endpoint, classifier, signal or cluster.",
        reason="Unused definitions mislead readers and are often a misspelt reference.",
        fix="Refer to the definition, or remove it.",
        example=Example("""\
signals:
  urgent: {keywords: [urgent, asap]}
  long: {context: {min: 8192}}
"""),
    ),
    "VSR240": Code(
        title="violated assertion",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The analysis found a request for which an assertion does not hold.",
        reason="Assertions state what must never happen, such as personal data reaching an external provider.",
        fix="Change the routes or guards so that no such request exists, or change the assertion.",
        example=Example("""\
guards:
  secrets: {patterns: builtin, except: {models: [big]}}
assertions:
  - never: {to: big, without: secrets}
"""),
    ),
    "VSR241": Code(
        title="assertion matches no request",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="No request satisfies the premise of an assertion, so it holds vacuously.",
        reason="The assertion proves nothing and probably names the wrong category or signal.",
        fix="Fix the names in the assertion, or remove it.",
        example=Example("""\
assertions:
  - never: {to: external}
"""),
    ),
    "VSR242": Code(
        title="analysis limit exceeded",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "The conditions combine so many signals that the analysis cannot decide all combinations within its limit."
        ),
        reason="Unreachable routes and violated assertions could go unnoticed.",
        fix="Use fewer signals in one condition, or divide the condition between several routes.",
        example=Example(
            "vsr-compile check policies/large.yaml",
            Kind.COMMAND,
            output="policies/large.yaml:40:9: error VSR242: the routes ask about too many combinations to analyse",
        ),
    ),
    "VSR243": Code(
        title="default model cannot serve the auto-model name",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "With `onFailure: default-model`, the default model's server receives requests for `auto`, which it "
            "may not serve."
        ),
        reason="When the router fails, every request would get an error although the policy promises a fallback.",
        fix="Use `onFailure: deny`, or a default model on an endpoint of the kind `vllm`.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", onFailure: default-model}
default: small
"""),
    ),
    "VSR245": Code(
        title="inconsistent timeouts",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="`router.deadline`, or `retry.firstByte` of a route, is not shorter than `gateway.timeout`.",
        reason=(
            "The decision is only the beginning of a request; no time would be left for the model's answer. After "
            "`firstByte` no time would be left for another model."
        ),
        fix="Increase `gateway.timeout`, or reduce the other one.",
        example=Example("""\
gateway: {timeout: 1s}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 2s}
"""),
    ),
    "VSR253": Code(
        title="model outside the order of an escalation",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "A conversation may only move up the models of `stickiness.order`, and a route or `default` leads to a "
            "model that the order does not name."
        ),
        reason="It would be unknown whether a switch to or from that model moves up.",
        fix="Add the model to `stickiness.order`, or give the route `stickiness: {mode: none}`.",
        example=Example("""\
stickiness: {mode: escalate, order: [small]}
default: big
"""),
    ),
    "VSR254": Code(
        title="stickiness without effect",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "`stickiness` has a field that its mode does not use: an `order` without `mode: escalate`, or a `margin` "
            "with another mode than `conversation`."
        ),
        reason="The field would promise what does not happen.",
        fix="Remove the field, or change `mode`.",
        example=Example("""\
stickiness: {mode: none, margin: 0.2}
"""),
    ),
}
