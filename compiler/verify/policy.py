"""What a policy says exists already: Services and pods that the compiler does not make."""

from __future__ import annotations

from compiler.link import ir
from compiler.verify.world import Assumed


def assumed(policy: ir.Policy) -> Assumed:
    """The Services and pods of endpoints that are served elsewhere."""
    services = {
        ("Service", each.service.namespace, each.service.name)
        for each in policy.endpoints
        if each.server is None and each.pods is None
    }
    pods = tuple((each.service.namespace, tuple(each.pods.labels)) for each in policy.endpoints if each.pods)
    return Assumed(frozenset(services), pods)
