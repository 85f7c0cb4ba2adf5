"""Kubernetes' own validation: rules of the API server's code that no schema carries.

Source: `pkg/apis/*/validation` of Kubernetes 1.34. Each module has the rules of related kinds; a rule yields the path,
the message and the remedy of each fault. A value of a wrong type is skipped, since the schema check reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body
from vsr_compiler.verify.schema.validation import access, data, networks, policies, quotas, services, volumes, workloads
from vsr_compiler.verify.schema.validation.faults import Fault, Rule

__all__ = ["Fault", "faults"]

_RULES: Mapping[tuple[str, str], Rule] = {
    **workloads.RULES,
    **services.RULES,
    **networks.RULES,
    **policies.RULES,
    **volumes.RULES,
    **quotas.RULES,
    **access.RULES,
    **data.RULES,
}
"""Rules by API group and kind."""


def faults(group: str, kind: str, body: Body) -> Iterator[Fault]:
    """Return what Kubernetes' own validation refuses in an object of a built-in kind."""
    rule = _RULES.get((group, kind))
    if rule is not None:
        yield from rule(body)
