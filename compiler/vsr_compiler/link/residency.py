"""Links ``residency``: every environment is in a region that it names, and every name is that of a region."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.regions import listed
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema


def link_residency(scope: Scope, policy: schema.PolicySpec) -> ir.Residency | None:
    """Return the regions that environments may refer to; None if the policy does not restrict them."""
    if policy.residency is None:
        return None
    own = {spec.region for spec in policy.environments.values() if spec.region is not None}
    servers = [spec.server for spec in policy.classifiers.values() if spec.server is not None]
    stores = [] if policy.router.cache is None else [policy.router.cache]
    regions_of_others = (
        *(item.region for item in policy.endpoints.values()),
        *(item.region for item in servers),
        *(item.region for item in stores),
    )
    others = {region for region in regions_of_others if region is not None}
    allowed: dict[str, frozenset[str]] = {}
    for region, regions in policy.residency.items():
        path = ("residency", region)
        if region not in own:
            hint = suggest(region, sorted(own)) or "Set `region` of an environment, or remove the entry."
            scope.report("VSR566", f"no environment is in the region `{region}`", path, hint, key=True)
        seen: set[str] = set()
        for name, at in listed(regions, path):
            if name in seen:
                scope.report("VSR205", f"duplicate entry `{name}`", at, "Remove one.")
            elif name not in own | others:
                hint = suggest(name, sorted(own | others)) or "Set `region` where it is, or remove the name."
                scope.report("VSR566", f"nothing is in the region `{name}`", at, hint)
            seen.add(name)
        allowed[region] = frozenset({region, *seen})
    for name, spec in sorted(policy.environments.items()):
        if spec.region is None:
            message = f"the environment `{name}` has no region, so `residency` says nothing about it"
            hint = "Add `region` to it, and to `residency` the regions that it may refer to."
            scope.report("VSR564", message, ("environments", name), hint, key=True)
        elif spec.region not in allowed:
            message = f"`residency` does not say where environments of the region `{spec.region}` may refer to"
            hint = suggest(spec.region, sorted(allowed)) or f"Add `{spec.region}: [{spec.region}]` to `residency`."
            scope.report("VSR564", message, ("environments", name, "region"), hint)
    return ir.Residency(allowed, scope.span("residency", key=True))
