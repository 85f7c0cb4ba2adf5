"""Checks by the link rules that what a compile emits fits together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity
from vsr_compiler.pipeline.layout import Manifests
from vsr_compiler.pipeline.renders import Renders


def check_links(
    policy: ir.Policy, manifests: Manifests, renders: Renders, bodies: Mapping[str, Any]
) -> list[Diagnostic]:
    """Return the warnings of the link rules. Notes are left out: they are about the cluster, not about the policy.

    Raises:
        CompileError: A rule finds an error.
    """
    from vsr_compiler.deploy.policy_assumptions import policy_assumptions  # noqa: PLC0415 - only for a compile
    from vsr_compiler.verify import check_objects  # noqa: PLC0415 - as above

    assumptions = policy_assumptions(
        policy, [values for rendered in renders.bases.values() for values in rendered.values]
    )
    checked = dict.fromkeys(
        item for objects in manifests.applied for item in check_objects(objects, assumptions, bodies)
    )
    if any(item.level is Severity.ERROR for item in checked):
        raise CompileError(checked)
    return [item for item in checked if item.level is not Severity.NOTE]
