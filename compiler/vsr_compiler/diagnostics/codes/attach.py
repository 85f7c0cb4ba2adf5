"""Codes about endpoints of others, and about Gateways that exist already."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR360": Code(
        title="endpoint of others that the target cannot reach",
        severity="error",
        stage=Stage.TARGETS,
        meaning="An endpoint is an InferencePool or a route that exists already, and the target has no way to it.",
        reason="Requests to its models would reach nothing.",
        fix="Use a target with pools, or the target attach; or describe the endpoint by its Service or pods.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {pool: {existing: small-pool, namespace: models}}
"""),
    ),
}
