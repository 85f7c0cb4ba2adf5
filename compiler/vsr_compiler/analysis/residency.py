"""Whether everything that an environment refers to is where the environment may refer to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.regional import Regional, regional


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR565 for what environments must not refer to, once for each thing."""
    yield from _findings(policy.residency, policy, policy.places)


def check_candidates(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR565 for what a candidate brings to environments that must not refer to it, by the residency of the policy."""
    for name, other in policy.candidates.items():
        users = [
            place
            for place in policy.places
            if (used := place.candidate or policy.router.candidate) is not None and used.name == name
        ]
        yield from _findings(policy.residency, other, users)


def _findings(
    residency: ir.Residency | None, policy: ir.Policy, environments: Sequence[ir.Environment]
) -> Iterator[Diagnostic]:
    if residency is None:
        return
    for item in regional(policy):
        wrong = [
            environment
            for environment in environments
            if environment.region is not None
            and item.region_in(environment) not in residency.allowed.get(environment.region, frozenset())
        ]
        if wrong:
            yield _finding(residency, item, wrong)


def _finding(residency: ir.Residency, item: Regional, wrong: list[ir.Environment]) -> Diagnostic:
    first = wrong[0]
    region = item.region_in(first)
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    where = f"in the region `{region}`" if region is not None else "outside the cluster, in a region that nobody knows"
    allowed = ", ".join(f"`{name}`" for name in sorted(residency.allowed.get(first.region or "", ())))
    environment = f"the environment `{first.name}`{more} in `{first.region}`"
    message = f"{item.words} is {where}, and {environment} may refer only to {allowed}"
    hint = (
        f"Use one that is there, or add `{region}` to the regions of `{first.region}` in `residency`."
        if region is not None
        else "Set its `region`, or use one in the cluster."
    )
    return Diagnostic("VSR565", message, item.span, hint)
