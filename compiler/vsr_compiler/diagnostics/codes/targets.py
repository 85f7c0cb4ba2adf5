"""Codes about targets, deployment, reviews and router implementations: VSR3xx."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR301": Code(
        title="missing repository for Argo CD",
        severity="warning",
        stage=Stage.DEPLOY,
        meaning="The policy has environments and no `gitops.repo`, so the Argo CD Applications contain a placeholder.",
        reason="Argo CD cannot synchronise an Application without its repository.",
        fix="Add `gitops` with the repository that holds the output.",
        example=Example("""\
environments:
  dev: {target: istio}
"""),
    ),
    "VSR302": Code(
        title="path outside the repository",
        severity="error",
        stage=Stage.DEPLOY,
        meaning="`gitops.path` leads outside the repository.",
        reason="Argo CD reads files inside the repository only.",
        fix="Name the folder of the repository that holds `out/`.",
        example=Example("""\
gitops: {repo: "https://git.example.com/team/routing.git", path: ../out}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR303": Code(
        title="environments with the same objects",
        severity="warning",
        stage=Stage.DEPLOY,
        meaning="Several environments of one cluster create objects with the same kind, namespace and name.",
        reason=(
            "Their Applications would overwrite each other's objects, so neither the kustomization of `argocd/` nor "
            "the ApplicationSet contains them."
        ),
        fix="Give each environment a `server` of its own, or apply the Application of one of them.",
        example=Example("""\
gitops: {repo: "https://git.example.com/team/routing.git"}
environments:
  dev: {target: istio}
  prod: {target: istio}
"""),
    ),
    "VSR304": Code(
        title="unsupported environment setting",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="An environment sets something that its router implementation cannot do.",
        reason="The setting would have no effect.",
        fix="Remove the setting, or use `engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router}
environments:
  dev: {target: istio, device: cuda}
"""),
    ),
    "VSR305": Code(
        title="no output to compare with",
        severity="error",
        stage=Stage.REVIEW,
        meaning="The argument of `--against` is neither an output folder nor a git revision that contains one.",
        reason="A comparison with nothing would report every object as new.",
        fix="Pass a folder such as `out/<policy>`, or a revision such as `origin/main`.",
        example=Example(
            "vsr-compile diff policies/quickstart.yaml --against mian",
            Kind.COMMAND,
            output="mian: error VSR305: `mian` is neither a folder nor a git revision",
        ),
    ),
    "VSR306": Code(
        title="unreadable earlier output",
        severity="error",
        stage=Stage.REVIEW,
        meaning="The output to compare with was changed by hand or is too large.",
        reason="Differences to a damaged output would be misleading.",
        fix="Compare with an output that `vsr-compile` has written.",
        example=Example(
            "vsr-compile diff policies/quickstart.yaml --against out/quickstart",
            Kind.COMMAND,
            output="config.yaml:2:8: error VSR306: the earlier output cannot be read: not valid YAML",
        ),
    ),
    "VSR307": Code(
        title="no origin for this place",
        severity="error",
        stage=Stage.REVIEW,
        meaning=(
            "The argument of `vsr-compile explain` is a place that no emitter has written, or a policy line "
            "without an entry."
        ),
        reason="Only emitted fields have an origin in the policy.",
        fix="Name a file of the output, one of its lines or fields, or the line of an entry in the policy.",
        example=Example(
            "vsr-compile explain policies/quickstart.yaml:1",
            Kind.COMMAND,
            output="policies/quickstart.yaml:1:1: error VSR307: nothing was emitted from line 1",
        ),
    ),
    "VSR308": Code(
        title="duplicate policy name",
        severity="error",
        stage=Stage.REVIEW,
        meaning="Two policies of one run have the same `metadata.name`.",
        reason="Both would write the same output folder.",
        fix="Give each policy a unique name.",
        example=Example(
            "vsr-compile policies/",
            Kind.COMMAND,
            output="policies/b.yaml:3:18: error VSR308: `quickstart` is the name of policies/a.yaml as well",
        ),
    ),
    "VSR309": Code(
        title="policies with the same objects",
        severity="note",
        stage=Stage.REVIEW,
        meaning="The outputs of two policies contain objects with the same kind, namespace and name.",
        reason="On one cluster, each policy would overwrite the objects of the other.",
        fix=(
            "Give each policy a Gateway in a namespace of its own, and its own namespaces for router and servers, or "
            "its own cluster."
        ),
        example=Example(
            "vsr-compile policies/",
            Kind.COMMAND,
            output="policies/b.yaml: note VSR309: shares 12 objects with policies/a.yaml",
        ),
    ),
    "VSR310": Code(
        title="orphaned output folder",
        severity="note",
        stage=Stage.REVIEW,
        meaning="The output root contains a folder whose policy is not among those that were compiled.",
        reason="Its objects may still be applied although the policy is gone.",
        fix="If the policy was removed or renamed, delete its objects from the cluster, and then the folder.",
        example=Example(
            "vsr-compile policies/",
            Kind.COMMAND,
            output="out: note VSR310: out/old was made from a policy that is not among these",
        ),
    ),
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
    "VSR330": Code(
        title="unsupported by the router implementation",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="`engine: semantic-router` cannot do what a guard, signal or route asks for.",
        reason="The router would ignore the setting, or reject its configuration.",
        fix="Follow the hint of the message, or use `engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router}
routes:
  - {name: urgent, when: {signal: urgent}, split: {small: 50, big: 50}}
"""),
    ),
    "VSR331": Code(
        title="behaviour differs on this engine",
        severity="note",
        stage=Stage.ANALYSIS,
        meaning="semantic-router implements this part of the policy differently from vsr-runtime.",
        reason=(
            "Clients may observe the difference. For example, blocked requests get HTTP 200 and a fixed message, "
            "not 403."
        ),
        fix="Nothing, if that is acceptable; otherwise use `engine: vsr-runtime`.",
        example=Example("""\
router: {engine: semantic-router, unguarded: explicit-models}
categories:
  trivia: {description: Trivia., examples: ["Who won the cup?"]}
routes:
  - {name: trivia, when: {category: trivia}, model: small}
"""),
    ),
    "VSR332": Code(
        title="guards do not apply to requests that name a model",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "semantic-router evaluates guards for auto-model names only; a request that names a model bypasses them."
        ),
        reason="Clients could avoid every guard by naming a model.",
        fix="Use `engine: vsr-runtime`, or accept the bypass with `router.unguarded: explicit-models`.",
        example=Example("""\
router: {engine: semantic-router}
guards:
  personal-data: {types: [US_SSN]}
"""),
    ),
    "VSR333": Code(
        title="test that cannot be decided locally",
        severity="note",
        stage=Stage.TEST,
        meaning="The test depends on a model that is not on this machine, or on the models of semantic-router.",
        reason="The test counts neither as passed nor as failed.",
        fix="Fetch the checkpoint with `vsr-runtime fetch`, or try the prompt on a running router.",
        example=Example("""\
router: {engine: semantic-router, unguarded: explicit-models}
guards:
  personal-data: {types: [US_SSN], unreadable: pass}
tests:
  - {prompt: This is urgent., expect: {model: small}}
"""),
    ),
    "VSR340": Code(
        title="guards can be bypassed when the router fails",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The policy has guards, and `onFailure` sends requests to a model when the router does not answer.",
        reason="A failing router would disable every guard.",
        fix="Use `onFailure: deny`.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", onFailure: default-model}
guards:
  personal-data: {types: [EMAIL_ADDRESS]}
"""),
    ),
    "VSR341": Code(
        title="invalid response cache",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "The cache of a route has a scope, lifetime or similarity that cannot work, or the route has a fixed "
            "response."
        ),
        reason="Answers would be shared with the wrong clients, or for different questions.",
        fix="Follow the hint of the message.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small, cache: {scope: tenant}}
"""),
    ),
    "VSR342": Code(
        title="cache similarity too low",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="The cache of a route accepts prompts whose similarity is below 0.92.",
        reason="Different questions can be that similar, so a client may get the answer to another question.",
        fix="Use a similarity of at least 0.92, or test the value with prompts of your own.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, model: small, cache: {similarity: 0.8}}
"""),
    ),
}
