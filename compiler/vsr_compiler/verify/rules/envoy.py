"""E01 and E02: rules about Envoy configuration, applied by ``envoy``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="E01",
        code="VSR455",
        title="value that Envoy rejects",
        purpose="Envoy accepts every value in EnvoyFilters and in patches of EnvoyPatchPolicies "
        "(`envoy --mode validate`).",
        why="An API server accepts any value there. A gateway that receives an invalid one keeps its old configuration "
        "and reports the error only in its log; Istio drops unknown fields.",
        example="""\
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
  message_timout: 5s  # unknown field
""",
        fix="Fix the field or value that the message names, by Envoy's API reference.",
    ),
    Rule(
        name="E02",
        code="VSR456",
        title="value that was not checked by Envoy",
        purpose="Envoy is installed and can check every value within the limits of a run.",
        why="Values that are not checked may be invalid.",
        example="""\
"@type": type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig  # not in Envoy's own API
""",
        fix="Run `pip install 'vsr-compile[local]'`, fix the other findings, or check fewer objects at a time.",
    ),
)
