"""Links ``to`` of assertions: models by name, outside the cluster, or by the regions in which they are served."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

EXTERNAL = "external"
"""In `to`: every model that is served outside the cluster."""
To = str | list[str] | schema.RegionsSpec
Places = tuple[tuple[str, str], ...]
"""Names of models, each with where it is served, in words."""


def link_to(
    scope: Scope, policy: schema.PolicySpec, to: To | None, models: Mapping[str, ir.Model], path: Path
) -> tuple[tuple[ir.Model, ...] | None, Places | None]:
    """Return the models that a statement means, and where those are served if it names regions."""
    if to is None:
        return None, None
    if isinstance(to, schema.RegionsSpec):
        return _by_region(scope, policy, to, models, path)
    found: dict[str, ir.Model] = {}
    known: dict[str, ir.Model | None] = {EXTERNAL: None, **models}
    for name, where in listed(to, path):
        if name == EXTERNAL and name not in models:
            found |= {model.name: model for model in models.values() if model.external}
            continue
        model = scope.resolve(known, name, "model", where)
        if model is not None:
            found[model.name] = model
    return tuple(model for _, model in sorted(found.items())), None


def _by_region(
    scope: Scope, policy: schema.PolicySpec, to: schema.RegionsSpec, models: Mapping[str, ir.Model], path: Path
) -> tuple[tuple[ir.Model, ...], Places]:
    """Return the models with an endpoint there in some environment.

    An endpoint in the cluster is in the region of the environment, if it has none itself. A provider without a region
    may be anywhere, and so is outside of every region.
    """
    inside = to.inside is not None
    declared = {endpoint.region for endpoint in policy.endpoints.values()}
    declared |= {environment.region for environment in policy.environments.values()}
    named = listed(to.inside if inside else to.outside, (*path, "inside" if inside else "outside"))
    for name, step in named:
        if name not in declared:
            hint = suggest(name, sorted(filter(None, declared))) or "Add `region` to endpoints or environments."
            scope.report("VSR299", f"no endpoint and no environment is in the region `{name}`", step, hint)
    regions = {name for name, _ in named}
    found: dict[str, str] = {}
    for model in models.values():
        for endpoint, weight in model.endpoints:
            for environment, spec in sorted(policy.environments.items()):
                local = not isinstance(endpoint.kind, ir.Provider)
                region = endpoint.region or (spec.region if local else None)
                if weight and (region in regions) == inside:
                    where = f"in the region `{region}`" if region else "in no region"
                    at = f", environment `{environment}`" if local and endpoint.region is None else ""
                    found.setdefault(model.name, f"endpoint `{endpoint.name}` {where}{at}")
    return tuple(models[name] for name in sorted(found)), tuple(sorted(found.items()))


def listed(names: str | list[str] | None, path: Path) -> list[tuple[str, Path]]:
    """Return names with their paths, for a single name or a list."""
    if names is None:
        return []
    return [(names, path)] if isinstance(names, str) else [(name, (*path, index)) for index, name in enumerate(names)]


def to_words(to: To) -> str:
    """Return ``to`` as text for messages."""
    if isinstance(to, schema.RegionsSpec):
        regions = to.inside or to.outside or ()
        return f"{'inside' if to.inside else 'outside'} {regions if isinstance(regions, str) else ', '.join(regions)}"
    return to if isinstance(to, str) else ", ".join(to)
