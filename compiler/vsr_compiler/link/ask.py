"""Links ``ask``: the programs whose markers are known, and the policy's own markers."""

from __future__ import annotations

import re

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_compiler.link.signals import check_pattern
from vsr_schemas.harnesses import HARNESSES
from vsr_schemas.policy import v1alpha1 as schema


def link_ask(scope: Scope, spec: schema.AskSpec) -> ir.AskRules:
    """Return the rules. Unknown profiles and unusable patterns are reported."""
    for index, marker in enumerate(spec.markers):
        for side, pattern in (("open", marker.open), ("close", marker.close)):
            path = ("ask", "markers", index, side)
            check_pattern(scope, pattern, path)
            if _matches_nothing(pattern):
                hint = "Require at least one character."
                scope.report("VSR217", "the pattern matches the empty text", path, hint)
    if isinstance(spec.profiles, list):
        for index, name in enumerate(spec.profiles):
            scope.resolve(HARNESSES, name, "profile", ("ask", "profiles", index))
    named = () if spec.profiles == "none" else tuple(sorted(set(spec.profiles)))
    return ir.AskRules(
        "builtin" if spec.profiles == "builtin" else named,
        tuple(ir.AskMarker(marker.open, marker.close, marker.holds) for marker in spec.markers),
        scope.span("ask", key=True) if spec.model_fields_set else None,
    )


def _matches_nothing(pattern: str) -> bool:
    try:
        return re.search(pattern, "") is not None
    except (re.error, OverflowError, RecursionError):
        return False
