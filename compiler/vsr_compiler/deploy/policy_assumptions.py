"""Assumptions of a policy: Services and pods that exist although the compiler does not emit them."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.targets import TARGETS, render
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.verify import Assumptions


def policy_assumptions(policy: ir.Policy, charts: Iterable[Values]) -> Assumptions:
    """Return what exists without the compiler.

    These are the Services and pods of endpoints that are served elsewhere, the Services that charts create, and what
    the control planes of the policy's targets provide.

    Args:
        policy: The linked policy.
        charts: The Helm values of every target of the policy.
    """
    elsewhere = [endpoint.service for endpoint in policy.endpoints if endpoint.server is None and endpoint.pods is None]
    created = [service for values in charts for service in values.services]
    services = {("Service", service.namespace, service.name) for service in (*elsewhere, *created)}
    pods = tuple(
        (endpoint.service.namespace, tuple(endpoint.pods.labels)) for endpoint in policy.endpoints if endpoint.pods
    )
    parts = (part for name in policy.targets for part, _ in TARGETS[name].parts(policy))
    provided = {item for part in parts for item in part.provided}
    return Assumptions(frozenset(services | provided), pods)


def rendered_assumptions(policy: ir.Policy) -> Assumptions:
    """Return the same for a policy that has not been rendered."""
    return policy_assumptions(
        policy, [values for name in policy.targets for values in render(TARGETS[name], policy).values]
    )
