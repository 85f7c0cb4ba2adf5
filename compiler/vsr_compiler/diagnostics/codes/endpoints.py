"""Codes about models, their endpoints and how they are called."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
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
}
