"""Codes about Helm charts."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES: dict[str, Code] = {
    "VSR339": Code(
        title="name that a chart would misread",
        severity="error",
        stage=Stage.TARGETS,
        meaning=(
            "A template of a Helm chart prints a name without quotes, and YAML reads it as a number, a boolean or "
            "nothing, such as `on`, `no` or `123`."
        ),
        reason="The API server refuses the chart's objects, because a label or a name has to be text.",
        fix="Rename what the message names.",
        example=Example("""\
endpoints:
  "on": {vllm: {}}
  small: {service: {name: small, port: 8000}}
models:
  big: {checkpoint: example/big, endpoints: ["on"]}
  small: {endpoints: [small]}
environments:
  dev: {target: production-stack}
"""),
    ),
}
