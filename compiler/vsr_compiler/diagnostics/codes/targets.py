"""Codes about targets: what a gateway, its release or its picker can do."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR311": Code(
        title="setting ignored by the target",
        severity="note",
        stage=Stage.TARGETS,
        meaning="The target has no equivalent for a setting and works without it.",
        reason="The behaviour in the cluster differs from what the policy suggests.",
        fix="Nothing, if that is acceptable; otherwise use a target that supports the setting.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}, pool: {}}
  small: {service: {name: small, port: 8000}}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR312": Code(
        title="unsupported by the target",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The target cannot express what the policy asks for.",
        reason="The manifests would route requests differently from the policy, or be rejected by the cluster.",
        fix="Follow the hint of the message, or use another target.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {external: {url: "https://api.example.com/v1"}}
  other: {service: {name: other, port: 8000}}
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: {small: 50, other: 50}}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR313": Code(
        title="unknown release",
        severity="error",
        stage=Stage.TARGETS,
        meaning="A profile or `versions` names a release for which the compiler has no table.",
        reason="API groups, flags and defaults differ between releases, so the compiler does not guess.",
        fix="Use one of the releases that the message lists.",
        example=Example("""\
environments:
  dev: {target: istio, versions: {istio: 0.9.9}}
"""),
    ),
    "VSR314": Code(
        title="incompatible releases",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The releases of two components do not work together.",
        reason="The gateway would ignore resources or fail to start.",
        fix="Use the release that the message names.",
        example=Example("""\
environments:
  dev: {target: envoy-gateway, versions: {gateway-api: 1.2.0}}
"""),
    ),
    "VSR315": Code(
        title="cluster prerequisite",
        severity="note",
        stage=Stage.TARGETS,
        meaning=(
            "The target needs CustomResourceDefinitions, a chart, a namespace or a setting that the compiler does not "
            "write."
        ),
        reason="Without it the objects cannot be applied, or have no effect.",
        fix="Install what the message names before the first apply.",
        example=Example("""\
environments:
  dev: {target: envoy-gateway}
"""),
    ),
    "VSR316": Code(
        title="endpoint without a pool",
        severity="note",
        stage=Stage.TARGETS,
        meaning="The target routes to InferencePools, and the pods of this endpoint are not known.",
        reason="The endpoint picker does not balance the requests to this endpoint; its Service does.",
        fix="Use the kind `pods` to pool the endpoint.",
        example=Example("""\
environments:
  dev: {target: gie}
"""),
    ),
    "VSR317": Code(
        title="objects with the same name",
        severity="error",
        stage=Stage.TARGETS,
        meaning="Two endpoints or models lead to Kubernetes objects with the same kind, namespace and name.",
        reason="One object would overwrite the other.",
        fix="Rename one of the endpoints.",
        example=Example("""\
endpoints:
  big: {vllm: {}, pool: {}}
  big-epp: {vllm: {}}
models:
  big: {checkpoint: example/big, endpoints: [big]}
  small: {checkpoint: example/small, endpoints: [big-epp]}
environments:
  dev: {target: gie}
"""),
    ),
    "VSR318": Code(
        title="body limit below `maxBody`",
        severity="note",
        stage=Stage.TARGETS,
        meaning="A component on the way to a model, such as an endpoint picker, accepts smaller bodies than `maxBody`.",
        reason=(
            "The component would answer longer requests with an empty 500. So the target's limit is lower: the router "
            "responds with 413, also if a body becomes longer by what a route adds."
        ),
        fix="Lower `router.maxBody`, or use the component or the target that the message names.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", maxBody: 16Mi}
endpoints:
  vllm-big: {vllm: {}}
  small: {service: {name: small, port: 8000}}
environments:
  dev: {target: gie, versions: {inference-extension: 1.5.0}}
"""),
    ),
    "VSR319": Code(
        title="request not served by a component",
        severity="note",
        stage=Stage.TARGETS,
        meaning="A component on the way to a model does not serve an API, or paths with a query.",
        reason=(
            "The component would reject such requests with an error of its own, or read them wrongly. So the router "
            "refuses them by name, and leaves the path out of its list of served paths if no model serves it."
        ),
        fix="Nothing, if clients do not need it; otherwise use what the message names.",
        example=Example("""\
environments:
  dev: {target: gie, versions: {inference-extension: 1.5.0}}
"""),
    ),
    "VSR324": Code(
        title="attempts that a target cannot make",
        severity="error",
        stage=Stage.TARGETS,
        meaning="A route has a `fallback` or `retry`, and the target's gateway cannot make its attempts as they are "
        "written.",
        reason=(
            "Requests would go to another model than the policy says, or with the name, key or fields of another one, "
            "or be sent again after failures that the policy does not name."
        ),
        fix="Change what the message names, or use another target.",
        example=Example("""\
environments:
  dev: {target: ai-gateway}
default: {model: big, fallback: [small], retry: {on: [timeout], firstByte: 20s}}
"""),
    ),
    "VSR354": Code(
        title="guarantee weaker on agentgateway",
        severity="note",
        stage=Stage.TARGETS,
        meaning="agentgateway gives a guarantee in a weaker form than the gateways that are built on Envoy.",
        reason=(
            "It answers every failure of a processor with 500, and ends a body without an error if the processor "
            "fails while it is read. Clients and alerts see something else than on other targets."
        ),
        fix="Follow the hint of the message, if the difference matters.",
        example=Example("""\
environments:
  dev: {target: agentgateway}
"""),
    ),
    "VSR355": Code(
        title="router that agentgateway cannot be sure of",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The policy wants a router, or a way past it, with which a request could reach a model undecided.",
        reason=(
            "agentgateway removes no headers of clients, and opens no way for requests with a body when the router "
            "fails. So its routes demand proof of the decision, which only vsr-runtime gives."
        ),
        fix="Use `engine: vsr-runtime` and `onFailure: deny`, or another target.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", onFailure: default-model}
environments:
  dev: {target: agentgateway}
"""),
    ),
}
