"""Codes about who sends a request: authentication, attributes of clients, and models that only some may use."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR292": Code(
        title="attribute of clients that nothing tells",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "A model's `allow`, an assertion, a test or `stickiness.key` names an attribute of the client, and the "
            "policy's `identity` does not tell it."
        ),
        reason="No client would ever have it: the gateway removes what clients say about themselves.",
        fix="Add the attribute to `identity`.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big], allow: {team: research}}
  small: {endpoints: [small]}
"""),
    ),
    "VSR293": Code(
        title="contradiction about clients",
        severity="error",
        stage=Stage.LINK,
        meaning="Two settings about the identity of clients exclude each other, or one has nothing to apply to.",
        reason="One of the two would be ignored.",
        fix="Follow the hint of the message.",
        example=Example("""\
environments:
  prod: {target: istio, identity: {issuer: "https://login.example.com"}}
"""),
    ),
    "VSR294": Code(
        title="clients that nobody checks while the router fails",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "With `onFailure: default-model` the gateway sends requests to the default model when the router does not "
            "answer. The model has `allow`, or it is the router that authenticates clients (by keys or by a front end)."
        ),
        reason="Clients would be served without being checked.",
        fix="Use `onFailure: deny`, or a default model without `allow`.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", onFailure: default-model}
identity:
  jwt: {issuer: "https://login.example.com", audiences: [llm], jwksUri: "https://login.example.com/keys"}
models:
  big: {checkpoint: example/big, endpoints: [vllm-big], allow: {user: [ada]}}
  small: {endpoints: [small]}
"""),
    ),
    "VSR295": Code(
        title="client that no key identifies",
        severity="warning",
        stage=Stage.LINK,
        meaning="A signal, an assertion, a test or `allow` names a value that no client of `identity.apiKeys` has.",
        reason="The list of clients is complete, so the condition is never true. Often the name is misspelt.",
        fix="Correct the name, or add a key for such a client.",
        example=Example("""\
identity:
  apiKeys:
    - {secret: client-keys, key: ada, user: ada, team: research}
signals:
  urgent: {team: reserch}
"""),
    ),
    "VSR334": Code(
        title="identity that the target cannot check",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The gateway of a target, or the router implementation, cannot do what `identity` says.",
        reason="Clients would be refused although they are known, or served although they are not.",
        fix="Follow the hint of the message, or use another target.",
        example=Example("""\
identity:
  apiKeys:
    - {secret: red, key: api-key, user: red-app}
    - {secret: blue, key: api-key, user: blue-app}
environments:
  dev: {target: envoy-gateway}
"""),
    ),
    "VSR335": Code(
        title="what identity needs of the cluster",
        severity="note",
        stage=Stage.TARGETS,
        meaning="The authentication of the policy depends on something that the compiler does not write.",
        reason="Without it every client is refused; or, behind a front end, clients could claim to be anybody.",
        fix="Set it up before the first apply.",
        example=Example("""\
identity:
  gatewayHeader: {from: [10.1.0.0/16], user: x-forwarded-user}
"""),
    ),
}
