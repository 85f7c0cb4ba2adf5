"""Where a policy runs, on which releases."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.releases import data
from vsr_compiler.review.page.model import Cell, Section, Table
from vsr_compiler.targets import TARGETS


def environments_section(policy: ir.Policy) -> Section:
    """Return the environments, and the releases that they are compiled for."""
    if not policy.environments:
        return Section("environments", "Environments", ("The policy has no environments, so it makes no manifests.",))
    rows = [
        (
            Cell(environment.name),
            Cell(TARGETS[environment.target].title),
            Cell(environment.region or ""),
            Cell(environment.cluster.name if environment.cluster is not None else environment.server or ""),
            Cell("simulated model servers" if environment.simulate else ""),
        )
        for environment in policy.environments
    ]
    head = ("environment", "target", "region", "cluster", "remarks")
    return Section(
        "environments",
        "Environments and releases",
        tables=(Table("Environments", head, tuple(rows)), _releases(policy)),
    )


def _releases(policy: ir.Policy) -> Table:
    """Return the releases that the targets look up, by component."""
    used: dict[tuple[str, str], list[str]] = {}
    for environment in policy.environments:
        versions = {**policy.versions, **environment.versions}
        target = TARGETS[environment.target]
        for project in dict.fromkeys(name for part, _ in target.parts(policy) for name in part.releases):
            used.setdefault((project, versions[project]), []).append(environment.name)
    rows = [
        (Cell(project), Cell(release, code=True), Cell(_end(project, release)), Cell(", ".join(names)))
        for (project, release), names in sorted(used.items())
    ]
    head = ("project", "release", "end of life", "environments")
    return Table("Releases of what the manifests are for", head, tuple(rows))


def _end(project: str, release: str) -> str:
    """Return the day from which a release gets no fixes; "" if none is known."""
    known = data.project(project).releases.get(release) if project in data.PROJECTS else None
    return "" if known is None or known.end_of_life is None else known.end_of_life.isoformat()
