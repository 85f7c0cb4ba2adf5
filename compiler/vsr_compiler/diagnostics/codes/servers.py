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
}
