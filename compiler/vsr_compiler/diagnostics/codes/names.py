"""Codes about names in a policy, and what they refer to."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR201": Code(
        title="undefined name",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "A field refers to a model, endpoint, category, signal, guard, route or profile that the policy does "
            "not define."
        ),
        reason=(
            "The reference would resolve to nothing, and requests would be routed differently from what the "
            "policy says."
        ),
        fix="Define the name, or use one that is defined.",
        example=Example("default: bgi"),
    ),
    "VSR202": Code(
        title="classifier without categories",
        severity="error",
        stage=Stage.LINK,
        meaning="A classifier of the task `category` is defined, and the policy has no `categories`.",
        reason="The classifier would be trained on nothing.",
        fix="Add `categories` with examples, or remove the classifier.",
        example=Example("""\
classifiers:
  domain: {task: category}
"""),
    ),
    "VSR203": Code(
        title="second category classifier",
        severity="error",
        stage=Stage.LINK,
        meaning="The policy defines two classifiers of the task `category`.",
        reason="A request has at most one category, so exactly one classifier may determine it.",
        fix="Keep one of the classifiers.",
        example=Example("""\
classifiers:
  a: {task: category}
  b: {task: category}
"""),
    ),
    "VSR204": Code(
        title="model name conflicts with an auto-model name",
        severity="error",
        stage=Stage.LINK,
        meaning="A model has the same name as an entry of `router.autoModels` (default `auto` and `MoM`).",
        reason="A client that sends this name either lets the router choose or selects the model; it cannot be both.",
        fix="Rename the model, or change `router.autoModels`.",
        example=Example("""\
models:
  auto: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: [small]}
default: auto
"""),
    ),
    "VSR205": Code(
        title="duplicate entry",
        severity="error",
        stage=Stage.LINK,
        meaning="A list contains the same entry twice, or a header is both set and removed.",
        reason="The second entry has no effect or contradicts the first, so one of them is a mistake.",
        fix="Remove one of the entries.",
        example=Example('router: {image: "registry.example/vsr-runtime:0.1.0", autoModels: [auto, auto]}'),
    ),
    "VSR211": Code(
        title="duplicate route name",
        severity="error",
        stage=Stage.LINK,
        meaning="Two routes have the same name.",
        reason="Tests, metrics and response headers identify a route by its name.",
        fix="Rename one of the routes.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small}
  - {name: urgent, when: always, model: big}
"""),
    ),
    "VSR212": Code(
        title="no category besides other",
        severity="error",
        stage=Stage.LINK,
        meaning="`other` is the only category.",
        reason="`other` stands for requests that match no category, so a classifier needs at least one more.",
        fix="Add a category with examples.",
        example=Example("""\
categories:
  other: {description: Anything else., examples: [Hello.]}
routes:
  - {name: other, when: {category: other}, model: small}
"""),
    ),
    "VSR216": Code(
        title="classifier of the wrong task",
        severity="error",
        stage=Stage.LINK,
        meaning="A guard or signal names a classifier whose `task` does not fit.",
        reason="A jailbreak detector cannot find personal data, and a category classifier cannot find attacks.",
        fix="Name a classifier of the task that the message states.",
        example=Example("""\
classifiers:
  injection: {task: jailbreak, checkpoint: {repo: example/a, revision: 0123456789012345678901234567890123456789}}
signals:
  urgent: {pii: {types: [PERSON], detector: injection}}
"""),
    ),
    "VSR217": Code(
        title="invalid regular expression",
        severity="error",
        stage=Stage.LINK,
        meaning="A pattern is no valid RE2 expression, compiles to over 2,000 instructions, or matches the empty text.",
        reason="RE2 guarantees matching in linear time, which the router needs for untrusted prompts.",
        fix=(
            "Fix the pattern. RE2 has no look-around, back-references or possessive quantifiers. Large repeats of "
            "large classes have many instructions."
        ),
        example=Example("""\
signals:
  urgent: {keywords: ["(?=now)urgent"], regex: true}
"""),
    ),
    "VSR218": Code(
        title="unknown type of personal data",
        severity="error",
        stage=Stage.LINK,
        meaning="`types` of a guard or signal contains a name that no detector knows.",
        reason="The type would never be found, and the data would pass.",
        fix="Use one of the types that the message lists.",
        example=Example("""\
guards:
  personal-data: {types: [EMAIL]}
"""),
    ),
    "VSR219": Code(
        title="type that requires a detector model",
        severity="error",
        stage=Stage.LINK,
        meaning="A type of personal data, such as `PERSON`, has no fixed form and is only found by a model.",
        reason="Patterns alone would let this data pass.",
        fix="Set `detector` to a classifier of the task `pii`, or remove the type.",
        example=Example("""\
guards:
  personal-data: {types: [PERSON]}
"""),
    ),
    "VSR220": Code(
        title="split does not add up to 100",
        severity="error",
        stage=Stage.LINK,
        meaning="The percentages of a route's `split` do not add up to 100.",
        reason="The intended shares are ambiguous.",
        fix="Change the shares so that they add up to 100.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, split: {small: 80, big: 10}}
"""),
    ),
    "VSR224": Code(
        title="protected header",
        severity="error",
        stage=Stage.LINK,
        meaning="A route changes a header that routing, HTTP framing or another component depends on.",
        reason="The change would break routing, or tell an endpoint picker, sidecar or gateway what to do.",
        fix="Use a header name of your own.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small, headers: {set: {x-selected-model: big}}}
"""),
    ),
    "VSR227": Code(
        title="secret in the policy",
        severity="error",
        stage=Stage.SCHEMA,
        meaning="A value looks like an API key, token, password or private key.",
        reason="A secret in a repository is readable by everyone who can read its history.",
        fix="Store it in a Kubernetes Secret and refer to that. If the secret was real, revoke it.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {token: hf_abcdefghijklmnopqrstuvwxyzabcdefgh}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR228": Code(
        title="request exceeds its limit",
        severity="error",
        stage=Stage.LINK,
        meaning="A resource request is greater than the limit, or differs from it for a device such as a GPU.",
        reason="The API server rejects such pods.",
        fix="Lower the request, or raise the limit. For devices, set both to the same number.",
        example=Example("""\
environments:
  dev: {resources: {vllm-big: {requests: {memory: 8Gi}, limits: {memory: 4Gi}}}}
"""),
    ),
}
