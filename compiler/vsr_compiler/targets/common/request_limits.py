"""What can travel to each model on a target: the smallest limit, and the APIs and queries that all hops accept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import MAX_LISTED
from vsr_compiler.releases.hops import HOPS, Hop
from vsr_compiler.releases.pickers import PICKERS, picker_project
from vsr_compiler.routerconfig.vsr_runtime import model_prefix
from vsr_compiler.targets.common.pools import Pooled
from vsr_schemas.apis import API_GROUPS, API_PATHS, TEXT_APIS, ApiPath
from vsr_schemas.quantities import quantity
from vsr_schemas.runtime import ModelLimitSettings


@dataclass(frozen=True, slots=True)
class ReleasedHop:
    """A component on the way to an endpoint, with its name and release for messages."""

    name: str
    hop: Hop


Hops = Callable[[ir.Policy, ir.Endpoint], Iterable[ReleasedHop]]
"""Returns the components between the router and an endpoint that limit requests. Unknown releases are left out."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of a target.

    Attributes:
        max_body: The limit of every request, which is the gateway's buffer. It is that of the model that accepts most,
            or least if the router cannot reject by model.
        models: Further limits of single models.
        apis: The APIs that every model serves, if they are the same; None for all, or if they differ.
    """

    max_body: int
    models: Mapping[str, ModelLimitSettings]
    apis: tuple[ApiPath, ...] | None = None


def hops_of(project: str, chosen: Callable[[ir.Policy], Iterable[ir.Endpoint]] | None = None) -> Hops:
    """Return the hops of a component with one table.

    Args:
        project: The component's project.
        chosen: The endpoints that are behind it; None for all.
    """

    def hops(policy: ir.Policy, endpoint: ir.Endpoint) -> Iterator[ReleasedHop]:
        """Yield the component if the endpoint is behind it."""
        release = policy.versions[project]
        hop = HOPS[project].get(release)
        if hop is not None and (chosen is None or endpoint in chosen(policy)):
            yield ReleasedHop(f"{project} {release}", hop)

    return hops


def picker_hops(project: str, chosen: Pooled) -> Hops:
    """Return the hops of a project's pickers. One with a flag for its limit gets the limit that the policy needs."""

    def hops(policy: ir.Policy, endpoint: ir.Endpoint) -> Iterator[ReleasedHop]:
        """Yield the picker of a pool."""
        own = picker_project(project, policy.versions)
        for item in hops_of(own, chosen)(policy, endpoint):
            adjustable = PICKERS[own][policy.versions[own]].message_flag
            yield replace(item, hop=replace(item.hop, max_message=None)) if adjustable else item

    return hops


def model_servers(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the endpoints whose servers run vLLM."""
    return [endpoint for endpoint in policy.endpoints if endpoint.server is not None and not endpoint.server.simulate]


Path = tuple[ir.Model, tuple[ReleasedHop, ...]]


def paths(parts: Iterable[tuple[Sequence[Hops], ir.Policy]]) -> list[Path]:
    """Return the components on the way to each model, over all endpoints of the model.

    Args:
        parts: The hops of a target and of those in front of it, with the policy that each renders.
    """
    models: dict[str, tuple[ir.Model, dict[str, ReleasedHop]]] = {}
    for hops, policy in parts:
        for model in policy.models:
            _, found = models.setdefault(model.name, (model, {}))
            for endpoint, _ in model.endpoints:
                found |= {item.name: item for one in hops for item in one(policy, endpoint)}
    return [(model, tuple(found.values())) for model, found in models.values()]


def request_limits(policy: ir.Policy, models: Sequence[Path]) -> RequestLimits:
    """Return the limits of a target.

    Args:
        policy: The policy.
        models: The way to each model.
    """
    bodies = {model.name: _max_body(policy, hops) for model, hops in models}
    stock = isinstance(policy.router.implementation, ir.SemanticRouter)
    overall = (min if stock else max)(bodies.values(), default=policy.router.max_body)
    served = {
        model.name: tuple(path for path in API_PATHS if all(path in item.hop.apis for item in hops))
        for model, hops in models
    }
    common = next(iter(served.values())) if len(set(served.values())) == 1 else None
    limits = {}
    for model, hops in models:
        apis = served[model.name]
        limit = ModelLimitSettings(
            maxBody=bodies[model.name] if bodies[model.name] < overall else None,
            apis=None if apis in (common, API_PATHS) else list(apis),
            prefix=model_prefix(policy, model),
            query=None if all(item.hop.query for item in hops) else False,
        )
        if limit != ModelLimitSettings():
            limits[model.name] = limit
    return RequestLimits(overall, limits, None if common == API_PATHS else common)


def check(policy: ir.Policy, models: Sequence[Path]) -> Iterator[Diagnostic]:
    """VSR318 for components that accept less than `router.maxBody`, VSR319 for those that do not serve all requests."""
    by_hop: dict[str, tuple[Hop, list[str]]] = {}
    for model, hops in models:
        for item in hops:
            by_hop.setdefault(item.name, (item.hop, []))[1].append(f"`{model.name}`")
    stock = isinstance(policy.router.implementation, ir.SemanticRouter)
    for name, (hop, served) in by_hop.items():
        names = _enumerate(served)
        if hop.max_body is not None and hop.max_body < policy.router.max_body:
            message = (
                f"`maxBody` is {policy.router.max_body:,} bytes, but {name} accepts {hop.max_body:,}: "
                f"longer requests to {names} get 413"
            )
            scope = " The limit applies to every model, because semantic-router has no limit by model." if stock else ""
            other = f", or use {hop.instead}" if hop.instead else ""
            hint = f"Set `router.maxBody: {quantity(hop.max_body)}` or less{other}.{scope}"
            yield Diagnostic("VSR318", message, policy.router.span, hint)
        expected = [path for name in policy.apis for path in API_GROUPS[name]] or TEXT_APIS
        missing = [path for path in expected if path not in hop.apis] + ([] if hop.query else ["paths with a query"])
        if missing:
            message = f"{names}: {name} does not serve {' or '.join(missing)}, because {hop.unserved}"
            hint = "" if stock else "The router responds to them with 404, or with 400 to a query. "
            yield Diagnostic("VSR319", message, policy.gateway.span, f"{hint}To serve them, use {hop.instead}.")


def _enumerate(names: list[str]) -> str:
    more = len(names) - MAX_LISTED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:MAX_LISTED])} and {more} more"


def _max_body(policy: ir.Policy, hops: Iterable[ReleasedHop]) -> int:
    limits = [item.hop.max_body for item in hops if item.hop.max_body is not None]
    return min([policy.router.max_body, *limits])
