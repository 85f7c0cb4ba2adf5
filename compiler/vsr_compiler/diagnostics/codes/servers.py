"""Codes about model servers."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES: dict[str, Code] = {
    "VSR261": Code(
        title="argument contradicts the policy",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "An argument of a vLLM server contradicts what the policy says or the compiler writes: TLS, another "
            "address, several nodes, another number of GPUs, or a context shorter than that of a model."
        ),
        reason="The server would not start, would not get requests, or would refuse those that the router sends.",
        fix="Remove the argument, or change the policy as the message says.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {args: [--ssl-keyfile=/tls/key.pem]}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR262": Code(
        title="unknown argument of vLLM",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The release of vLLM has no such argument. Environments with an image of their own are not checked.",
        reason="vLLM does not start with an argument that it does not know.",
        fix="Correct the name, or remove it. A value with blanks needs `=`, or an item of its own.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {args: [--max-model-length=8192]}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR263": Code(
        title="route for requests that its models cannot hold",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A route matches only requests that are longer than the `context` of all its models.",
        reason="The router never sends a request to a model that cannot hold it, so the route is never taken.",
        fix="Use a model with a larger `context`, or lower the signal's `min`.",
        example=Example("""\
models:
  big: {checkpoint: example/big, endpoints: [vllm-big], context: 8192}
  small: {endpoints: [small]}
signals:
  long: {context: {min: 100000}}
routes:
  - {name: long, when: {signal: long}, model: big}
default: small
"""),
    ),
}
