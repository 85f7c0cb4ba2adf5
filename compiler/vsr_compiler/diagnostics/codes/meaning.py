"""Codes about what a policy means, its tests and its evaluation: VSR2xx."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

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
    "VSR206": Code(
        title="argument reserved for the compiler",
        severity="error",
        stage=Stage.LINK,
        meaning="`vllm.args` contains an argument that the compiler sets itself, such as `--served-model-name`.",
        reason=(
            "The compiler keeps these arguments consistent with models and routes; a second value would break the link."
        ),
        fix="Remove the argument.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {args: [--served-model-name=large]}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR207": Code(
        title="endpoint without a model",
        severity="error",
        stage=Stage.LINK,
        meaning="No model lists an endpoint of the kind `vllm`, so the compiler does not know what its server loads.",
        reason="A server without a checkpoint cannot start.",
        fix="Add the endpoint to the `endpoints` of a model, or remove it.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  spare: {vllm: {}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR208": Code(
        title="model without a checkpoint",
        severity="error",
        stage=Stage.LINK,
        meaning="A model runs on an endpoint of the kind `vllm` and names no `checkpoint`.",
        reason="The compiler writes the server and must know which weights it loads.",
        fix="Add `checkpoint` with the Hugging Face repository of the weights.",
        example=Example("""\
models:
  big: {endpoints: [vllm-big]}
  small: {endpoints: [small]}
"""),
    ),
    "VSR209": Code(
        title="endpoint with several checkpoints",
        severity="error",
        stage=Stage.LINK,
        meaning="Models with different checkpoints share one endpoint of the kind `vllm`.",
        reason="A vLLM server loads exactly one checkpoint.",
        fix="Define an endpoint for each checkpoint. Use `loras` for adapters of the same base model.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {checkpoint: example/small, endpoints: [vllm-big]}
"""),
    ),
    "VSR210": Code(
        title="no endpoint with a weight",
        severity="error",
        stage=Stage.LINK,
        meaning="All endpoints of a model have the weight 0.",
        reason="The gateway would have nowhere to send requests for the model.",
        fix="Give at least one endpoint a weight greater than 0.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: {small: 0}}
"""),
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
    "VSR213": Code(
        title="pool on an endpoint without pods",
        severity="error",
        stage=Stage.LINK,
        meaning="`pool` is set on an endpoint of the kind `service` or `external`.",
        reason=(
            "An InferencePool selects pods by labels; the pods behind a Service or outside the cluster are not known."
        ),
        fix="Use an endpoint of the kind `pods` or `vllm`, or remove `pool`.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {service: {name: small, port: 8000}, pool: {}}
"""),
    ),
    "VSR214": Code(
        title="adapter name conflicts with a model name",
        severity="error",
        stage=Stage.LINK,
        meaning="A LoRA adapter has the same name as a model.",
        reason="Clients and routes select adapters and models by the same kind of name.",
        fix="Rename the adapter or the model.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big], loras: {small: {path: /adapters/small}}}
  small: {endpoints: [small]}
"""),
    ),
    "VSR215": Code(
        title="adapter on an external server",
        severity="error",
        stage=Stage.LINK,
        meaning="A model with `loras` runs on an endpoint whose server the compiler does not write.",
        reason="The compiler cannot make that server load the adapter.",
        fix="Serve the model with `vllm`, or define the adapter as a model of its own on the existing Service.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: [small], loras: {legal: {path: /adapters/legal}}}
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
    "VSR221": Code(
        title="unknown reasoning family",
        severity="error",
        stage=Stage.LINK,
        meaning="A route sets `reasoning` or `effort` for a model without `reasoningFamily`.",
        reason="Every family of models has its own parameter for reasoning; the router must know which one to set.",
        fix="Set `reasoningFamily` on the model.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small, reasoning: true}
"""),
    ),
    "VSR222": Code(
        title="unsupported reasoning setting",
        severity="error",
        stage=Stage.LINK,
        meaning="The model's reasoning family does not have the requested effort, or cannot switch reasoning off.",
        reason="The model server would reject the request or ignore the setting.",
        fix="Use one of the levels that the message lists, or remove the setting.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: [small], reasoningFamily: gpt-oss}
routes:
  - {name: urgent, when: {signal: urgent}, model: small, effort: xhigh}
"""),
    ),
    "VSR223": Code(
        title="effort without reasoning",
        severity="error",
        stage=Stage.LINK,
        meaning="A route sets an `effort` and `reasoning: false`.",
        reason="The two settings contradict each other.",
        fix="Remove one of the two.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: [small], reasoningFamily: gpt}
routes:
  - {name: urgent, when: {signal: urgent}, model: small, reasoning: false, effort: low}
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
    "VSR225": Code(
        title="replicas of pods that the compiler does not write",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "An environment sets `replicas`, `images` or `resources` of an endpoint that is not of the kind `vllm`."
        ),
        reason="The compiler does not write these pods, so the setting would have no effect.",
        fix="Scale them where they are defined, and remove the setting.",
        example=Example("""\
environments:
  dev: {replicas: {small: 3}}
"""),
    ),
    "VSR226": Code(
        title="mutable image",
        severity="error",
        stage=Stage.LINK,
        meaning="An image has no tag, or a tag such as `latest` that may point to another image tomorrow.",
        reason="The same manifests would run different software at different times.",
        fix="Use a release tag or a digest.",
        example=Example('router: {image: "registry.example/vsr-runtime:latest"}'),
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
    "VSR237": Code(
        title="misclassified example",
        severity="warning",
        stage=Stage.HEADS,
        meaning="A classifier that is trained without this example assigns it to another category.",
        reason="The example contradicts the others, and similar prompts will be routed to the wrong model.",
        fix="Move the example to the other category, or add more examples like it to its own.",
        example=Example("""\
categories:
  math: {description: Numbers., examples: [Solve x + 1 = 2., Integrate x^2., "Who can sue the other party?"]}
  law: {description: Courts., examples: ["Who may sue?", "Is the contract valid?", "Who can sue in court?"]}
routes:
  - {name: math, when: {category: math}, model: small}
  - {name: law, when: {category: law}, model: big}
  - {name: urgent, when: {signal: urgent}, model: small}
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
    "VSR250": Code(
        title="failed test",
        severity="error",
        stage=Stage.TEST,
        meaning="A test of the policy gives another result than `expect` states.",
        reason="Tests record how prompts should be routed; a failure means that the policy behaves differently.",
        fix="Fix the policy, for example with another example of this kind, or change the expectation.",
        example=Example("""\
tests:
  - {prompt: This is urgent., expect: {model: big}}
"""),
    ),
    "VSR251": Code(
        title="route without a test",
        severity="note",
        stage=Stage.TEST,
        meaning="No test of the policy reaches the route.",
        reason="A change that breaks the route would not be noticed.",
        fix="Add a test with a prompt that should take the route.",
        example=Example("""\
tests:
  - {prompt: Good morning., expect: {model: big}}
"""),
    ),
    "VSR252": Code(
        title="signal without a test",
        severity="note",
        stage=Stage.TEST,
        meaning="In no test of the policy does the signal hold, although a route depends on it.",
        reason="A change that breaks the signal would not be noticed.",
        fix="Add a test whose request has the signal.",
        example=Example("""\
signals:
  urgent: {keywords: [urgent]}
routes:
  - {name: hurry, when: {signal: urgent}, model: small}
tests:
  - {prompt: Good morning., expect: {model: big}}
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
    "VSR255": Code(
        title="header that no test can set",
        severity="error",
        stage=Stage.LINK,
        meaning=("A test sets a header that the gateway removes from a client's request, or one that frames the body."),
        reason="The test would show a decision that no client gets.",
        fix="Remove the header from the test.",
        example=Example("""\
tests:
  - {prompt: Good morning., headers: {x-selected-model: big}, expect: {model: big}}
"""),
    ),
    "VSR256": Code(
        title="test with messages for an API without messages",
        severity="error",
        stage=Stage.LINK,
        meaning="A test with `messages` or a `conversation` has the `path` of an API whose requests have no messages.",
        reason="The request could not be built.",
        fix="Use `request` with the whole body, or another `path`.",
        example=Example("""\
tests:
  - path: /v1/completions
    messages: [{role: user, content: Good morning.}]
    expect: {model: big}
"""),
    ),
    "VSR257": Code(
        title="unknown built-in examples",
        severity="error",
        stage=Stage.LINK,
        meaning="An entry of `examples` begins with `builtin:` and names no set, or no label, of this release.",
        reason="The category would have no examples.",
        fix="Use a shipped set, its version, and one of its labels.",
        example=Example("""\
categories:
  maths: {description: Mathematics., examples: ["builtin:mmlu-pro@1"]}
routes:
  - {name: maths, when: {category: maths}, model: small}
"""),
    ),
    "VSR260": Code(
        title="guard without a test",
        severity="note",
        stage=Stage.TEST,
        meaning="No test of the policy triggers the guard.",
        reason="A change that disables the guard would not be noticed.",
        fix=(
            "Add a test with a prompt in which the guard should find something, and list the guard under "
            "`expect.guards`."
        ),
        example=Example("""\
guards:
  personal-data: {types: [EMAIL_ADDRESS]}
tests:
  - {prompt: Good morning., expect: {model: big}}
"""),
    ),
    "VSR270": Code(
        title="invalid line of evaluation data",
        severity="error",
        stage=Stage.EVAL,
        meaning=(
            "A line of the data for `vsr-compile eval` is not a JSON object with the texts `prompt` and `category`."
        ),
        reason="Skipping lines silently would distort the result.",
        fix='Write one object per line: `{"prompt": "What is 2+2?", "category": "math"}`.',
        example=Example(
            "vsr-compile eval policies/quickstart.yaml prompts.jsonl",
            Kind.COMMAND,
            output="prompts.jsonl:3: error VSR270: the line has no `category`",
        ),
    ),
    "VSR271": Code(
        title="unknown category in evaluation data",
        severity="error",
        stage=Stage.EVAL,
        meaning="A line of the data names a category that the policy does not define.",
        reason="Such a prompt can never be classified correctly, so the accuracy would be meaningless.",
        fix="Use the names of the policy's categories, or `other` for prompts that belong to none.",
        example=Example(
            "vsr-compile eval policies/quickstart.yaml prompts.jsonl",
            Kind.COMMAND,
            output="prompts.jsonl:7: error VSR271: `maths` is no category of the policy",
        ),
    ),
    "VSR272": Code(
        title="nothing to evaluate",
        severity="error",
        stage=Stage.EVAL,
        meaning="The policy has no categories with a compiled head, or the data has no lines.",
        reason="A result without prompts would look like a success.",
        fix="Add categories with examples to the policy, or lines to the data.",
        example=Example(
            "vsr-compile eval policies/quickstart.yaml empty.jsonl",
            Kind.COMMAND,
            output="empty.jsonl: error VSR272: the data has no line to evaluate",
        ),
    ),
    "VSR273": Code(
        title="fallback without effect",
        severity="error",
        stage=Stage.LINK,
        meaning="A route has a `fallback` that can never be asked: it is the route's own model, or the route answers "
        "with a fixed text.",
        reason="The policy would promise that another model answers when one fails, and none would.",
        fix="Name another model, or remove the `fallback`. To ask the same model again, set `retry.attempts`.",
        example=Example("default: {model: big, fallback: [big]}"),
    ),
    "VSR274": Code(
        title="attempts do not fit",
        severity="error",
        stage=Stage.LINK,
        meaning="`retry.attempts` is less than the number of models, or `retry` allows one attempt only.",
        reason="The last models of the `fallback` would never be asked.",
        fix="Set `attempts` to the number of models or more, or remove `retry`.",
        example=Example("default: {model: big, fallback: [small], retry: {attempts: 1}}"),
    ),
    "VSR275": Code(
        title="first byte without timeout",
        severity="error",
        stage=Stage.LINK,
        meaning="`retry.firstByte` is set and `on` does not name `timeout`, or the other way round.",
        reason=(
            "Both say together that a model which does not begin to respond is given up. A model that was given up may "
            "have worked on the request, so the policy has to say so."
        ),
        fix="Set both, or neither.",
        example=Example("default: {model: big, fallback: [small], retry: {firstByte: 20s}}"),
    ),
    "VSR276": Code(
        title="fallback with less context",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A model of a `fallback` has a smaller context than the model of the route.",
        reason="Longer requests do not reach it, so they have no fallback.",
        fix="Use a model with at least the same context, or accept it with a comment that ignores the code.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big], context: 32768}
  small: {endpoints: [small], context: 8192}
default: {model: big, fallback: [small]}
"""),
    ),
    "VSR280": Code(
        title="classifier on a missing GPU",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="A classifier sets `device: cuda`, and the router requests no GPU.",
        reason="The router would not start, because no device is available to it.",
        fix="Set `router.gpus`, or `device: cpu` on the classifier.",
        example=Example("""\
classifiers:
  injection:
    task: jailbreak
    checkpoint: {repo: example/a, revision: 0123456789012345678901234567890123456789}
    device: cuda
guards:
  injection: {detector: injection}
"""),
    ),
    "VSR281": Code(
        title="unused router GPUs",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="`router.gpus` is set, and no classifier runs on a GPU.",
        reason="The GPUs are reserved and idle.",
        fix="Set `device: cuda` on a classifier with a checkpoint, or remove `gpus`.",
        example=Example('router: {image: "registry.example/vsr-runtime:0.1.0", gpus: 1}'),
    ),
    "VSR282": Code(
        title="unused volume claim",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="`router.weights` names a volume claim, and no classifier has a checkpoint.",
        reason="The claim is mounted and never read.",
        fix="Give a classifier a `checkpoint`, or remove `weights`.",
        example=Example('router: {image: "registry.example/vsr-runtime:0.1.0", weights: {pvc: router-models}}'),
    ),
    "VSR283": Code(
        title="signal that the router never receives",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "A signal tests who sends the request (`user`, `team`, `role`, `tenant` or `claims`). The router does not "
            "receive this attribute of an authenticated client."
        ),
        reason="The gateway removes identity headers of clients, and nothing sets them afterwards.",
        fix="Add the attribute to the policy's `identity`, or remove the signal.",
        example=Example("""\
signals:
  urgent: {role: {groups: [on-call]}}
"""),
    ),
    "VSR284": Code(
        title="undetectable language",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The language detector of vsr-runtime does not know a language that a signal names.",
        reason="The signal would never be true.",
        fix="Remove the language, or use `engine: semantic-router`.",
        example=Example("""\
signals:
  urgent: {language: [de, mi]}
"""),
    ),
    "VSR285": Code(
        title="sentence that is both hard and easy",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="A signal of the kind `complexity` lists the same sentence under `hard` and `easy`.",
        reason="The sentence contributes nothing to the distinction.",
        fix="Keep the sentence under one of the two.",
        example=Example("""\
signals:
  urgent: {complexity: {hard: [Do it now.], easy: [Do it now.], level: hard}}
"""),
    ),
    "VSR286": Code(
        title="unreachable complexity level",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The threshold of a signal of the kind `complexity` is greater than any possible margin.",
        reason="The signal would never be true.",
        fix="Lower the threshold. The default is 0.1.",
        example=Example("""\
signals:
  urgent: {complexity: {hard: [Prove the theorem.], easy: [Hello.], level: hard, threshold: 2}}
"""),
    ),
    "VSR287": Code(
        title="keyword occurs in the text of agents",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A keyword of a signal that reads the whole request (`of: request`, or any signal on semantic-router) "
        "occurs in what known agents and front ends put around the words of a person: tags, headings and labels.",
        reason="The signal would hold for every request of such a program, whatever its user asks.",
        fix="Remove `of: request`, or use a longer phrase.",
        example=Example("""\
signals:
  urgent: {keywords: [context], of: request}
"""),
    ),
    "VSR290": Code(
        title="device without effect",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="An environment sets `device`, and no classifier in use has a checkpoint.",
        reason="Compiled heads always run on the CPU.",
        fix="Remove `device`, or give a classifier a `checkpoint`.",
        example=Example("""\
environments:
  dev: {target: istio, device: cuda}
"""),
    ),
    "VSR291": Code(
        title="image for another device",
        severity="note",
        stage=Stage.ANALYSIS,
        meaning="An environment moves classifiers to GPUs and keeps the policy's router image.",
        reason="The image may contain PyTorch for the CPU only.",
        fix=(
            "Set `images.router` in the environment to an image with PyTorch for CUDA, unless the policy's image "
            "has it."
        ),
        example=Example("""\
classifiers:
  persons: {task: pii, checkpoint: {repo: example/a, revision: 0123456789012345678901234567890123456789}}
guards:
  personal-data: {types: [PERSON], detector: persons}
environments:
  dev: {target: istio, device: cuda}
"""),
    ),
}
