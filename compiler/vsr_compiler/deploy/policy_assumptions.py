"""What a policy says will be there: Services and pods that the compiler does not make."""

from __future__ import annotations

from vsr_compiler import ir, targets
from vsr_compiler.verify.manifest_index import Assumed


def assumed(policy: ir.Policy) -> Assumed:
    """The Services and pods of endpoints that are served elsewhere, and the Services of the charts that it needs."""
    elsewhere = [each.service for each in policy.endpoints if each.server is None and each.pods is None]
    charts = [item for target in policy.targets for item in targets.values(policy, target)]
    made = [service for item in charts for service in item.services]
    services = {("Service", each.namespace, each.name) for each in (*elsewhere, *made)}
    pods = tuple((each.service.namespace, tuple(each.pods.labels)) for each in policy.endpoints if each.pods)
    return Assumed(frozenset(services), pods)
