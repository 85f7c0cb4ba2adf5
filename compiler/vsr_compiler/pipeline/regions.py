"""Checks that what a compile emits for an environment refers only to hosts in regions that it may refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.objects import Object


def check_regions(policy: ir.Policy, environments: Mapping[str, tuple[Object, ...]], bodies: Mapping[str, Any]) -> None:
    """Check the objects of each environment; nothing if the policy has no `residency`.

    Args:
        policy: The linked policy.
        environments: The objects of each environment by its name.
        bodies: The router's YAML files by their text.

    Raises:
        CompileError: VSR567 for hosts of other regions, at the lines of the policy from which the objects come.
    """
    if policy.residency is None:
        return
    from vsr_compiler.deploy.addresses import addresses  # noqa: PLC0415 - only with `residency`
    from vsr_compiler.deploy.residency import ForeignHost, foreign_hosts, hosts_of, report  # noqa: PLC0415 - as above
    from vsr_compiler.verify.manifest import title  # noqa: PLC0415 - as above

    def read(text: str) -> list[Any]:
        return [bodies[text]] if text in bodies else []

    known = hosts_of(policy)
    places = {place.name: place for place in policy.environments}

    def findings(place: ir.Environment, item: Object) -> Iterator[ForeignHost]:
        # The compiler has judged every host of the policy; others are of no region that it knows.
        items = [one for one in addresses(item.body, read) if known.region_of(one.host)]
        label = title(item.kind, item.namespace, item.name)
        return foreign_hosts(policy, [place], known, items, lambda _: item.origin, label)

    found = [one for name, objects in environments.items() for item in objects for one in findings(places[name], item)]
    if found:
        raise CompileError(report(policy.residency, found))
