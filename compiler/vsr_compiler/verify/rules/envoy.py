"""E01 and E02: rules about Envoy configuration, applied by ``envoy``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="E01",
        code="VSR455",
        purpose="Envoy accepts every value in EnvoyFilters and in patches of EnvoyPatchPolicies "
        "(`envoy --mode validate`).",
    ),
    Rule(
        name="E02",
        code="VSR456",
        purpose="Envoy is installed and can check every value within the limits of a run.",
    ),
)
