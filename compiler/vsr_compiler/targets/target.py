"""A target: one stack that a policy is compiled for, the registry of targets, and `render()`.

A stack is a folder below `targets/` with one `Target` value. `vsr_compiler.targets` registers those values.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.manifests.kinds import KINDS, GroupKind, Kind, table
from vsr_compiler.manifests.objects import Object, emitted_by
from vsr_compiler.releases import PROFILES
from vsr_compiler.releases.known import RELEASES, by_number, looked_up
from vsr_compiler.targets.common import chart_names, foreign, router, stock_router
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.helm import ChartSource, Values
from vsr_compiler.targets.common.request_limits import Hops, Path, RequestLimits, paths, request_limits
from vsr_compiler.targets.common.request_limits import check as check_request_limits
from vsr_schemas.runtime import RoutingSettings

Emitter = Callable[[ir.Policy], Iterable[Object]]
"""A pure function that returns the objects of one subject. A target may not have two emitters of one object."""
Check = Callable[[ir.Policy], Iterable[Diagnostic]]
"""A pure function that returns what a target ignores, cannot do, or needs of the cluster."""
ComponentBuilder = Callable[[ir.Policy], Component | None]
"""Returns a Kustomize component, or None if the policy needs none."""
Chart = Callable[[ir.Policy], Values | tuple[Values, ...] | None]
"""Returns the values of one Helm chart, of each release if there are several, or None if the policy needs none."""
View = Callable[[ir.Policy], ir.Policy]
ClusterNames = Callable[[ir.Policy], Iterable[tuple[str, str, str]]]
"""Returns API group, kind and name of cluster-scoped objects. A name is a pattern as of Go's `filepath.Match`, in which
`*` stands for the name of an endpoint or Gateway, so that it holds when one is renamed."""


@dataclass(frozen=True, slots=True)
class Front:
    """The gateway in front of a stack: another target, and the policy as that target's gateway sees it."""

    target: Target
    view: View


@dataclass(frozen=True, slots=True)
class Target:
    """One stack.

    Attributes:
        name: The value of `environments.<name>.target` in a policy, and the folder in the output.
        title: The name of the stack for people.
        docs: The documentation page, relative to the root of the repository.
        releases: The projects whose release the target looks up in tables. `gateway.versions` sets the release.
        emitters: The functions whose objects are the base.
        hops: The components between the router and the endpoints that limit requests.
        checks: What the target ignores or cannot do. They run only if every release is known.
        preflight: What the cluster must have before the first apply (VSR315).
        components: Kustomize components that users may add to their own overlays.
        charts: Values for Helm charts that the stack needs.
        installs: The charts that `gitops.charts` can name, in the order in which they are installed.
        provided: Objects that the stack's control plane creates and ours refer to: kind, namespace and name. The
            namespace of a cluster-scoped object is empty.
        kinds: The kinds that the target emits and that are not in `manifests.kinds.KINDS`.
        cluster_names: The names of the cluster-scoped objects of the base and the components. An AppProject allows
            these and no others.
        tables: Known releases of projects that only this stack looks up, by project.
        profiles: The release of those projects in each profile: profile, project, release.
        routing: What the router writes for routes of others; None if the routes are ours.
        reaches: Kinds of endpoints of others that the target can send requests to.
        front: The target whose gateway is in front of this stack, if the stack has no gateway of its own.
    """

    name: str
    title: str
    docs: str
    releases: tuple[str, ...]
    emitters: tuple[Emitter, ...] = ()
    hops: tuple[Hops, ...] = ()
    checks: tuple[Check, ...] = ()
    preflight: tuple[Check, ...] = ()
    components: tuple[ComponentBuilder, ...] = ()
    charts: tuple[Chart, ...] = ()
    installs: tuple[ChartSource, ...] = ()
    provided: tuple[tuple[str, str, str], ...] = ()
    kinds: tuple[Kind, ...] = ()
    cluster_names: tuple[ClusterNames, ...] = ()
    tables: Mapping[str, Collection[str]] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    routing: Callable[[ir.Policy], RoutingSettings] | None = None
    reaches: tuple[type[ir.ExistingPool | ir.ForeignRoute], ...] = ()
    front: Front | None = None

    def parts(self, policy: ir.Policy) -> list[tuple[Target, ir.Policy]]:
        """Return this target and those in front of it, each with the policy that it renders."""
        if self.front is None:
            return [(self, policy)]
        return [(self, policy), *self.front.target.parts(self.front.view(policy))]

    def request_limits(self, policy: ir.Policy) -> RequestLimits:
        """Return what can travel to each model of a policy."""
        return request_limits(policy, self._paths(policy))

    def check_requests(self, policy: ir.Policy) -> Iterable[Diagnostic]:
        """Return what the components on the way to the models do not accept."""
        return check_request_limits(policy, self._paths(policy))

    def _paths(self, policy: ir.Policy) -> list[Path]:
        return paths((part.hops, seen) for part, seen in self.parts(policy))


@dataclass(frozen=True, slots=True)
class Rendered:
    """The result of one render.

    Attributes:
        notices: Everything that the checks report, sorted by place. If one is an error, the other fields are empty.
        objects: The objects of the base, sorted by path. Each names its emitter.
        components: Kustomize components.
        values: Values for Helm, sorted by chart.
    """

    notices: tuple[Diagnostic, ...]
    objects: tuple[Object, ...] = ()
    components: tuple[Component, ...] = ()
    values: tuple[Values, ...] = ()

    @property
    def errors(self) -> list[Diagnostic]:
        """The notices that are errors."""
        return [notice for notice in self.notices if notice.level is Severity.ERROR]


def render(target: Target, policy: ir.Policy) -> Rendered:
    """Render a policy for a target.

    The caller renders once per target and environment and passes the result on; a render has no side effects.

    Raises:
        LookupError: An object is of a kind that no table knows. This is a fault of the target.
    """
    parts = target.parts(policy)
    notices = [notice for part, seen in parts for notice in _unknown_releases(part, seen)]
    if not notices:
        checked = ((check, seen) for part, seen in parts for check in (*part.checks, *part.preflight))
        notices = [notice for check, seen in checked for notice in check(seen)]
        notices += target.check_requests(policy)
        notices += foreign.unreachable(policy, target.name, parts[-1][0].reaches)
    objects: list[Object] = []
    values: list[Values] = []
    if not _failed(notices):
        max_body = target.request_limits(policy).max_body
        policy = replace(policy, router=replace(policy.router, max_body=max_body))
        parts = target.parts(policy)
        objects = sorted(_emitted(parts), key=lambda item: item.path)
        notices += _collisions(objects)
        values = _values(parts, policy)
        notices += [notice for item in values for notice in chart_names.check(item)]
    ordered = tuple(sorted(notices, key=lambda notice: notice.order))
    if _failed(ordered):
        return Rendered(ordered)
    return Rendered(ordered, tuple(objects), tuple(_components(parts, policy, objects)), tuple(values))


def _emitted(parts: list[tuple[Target, ir.Policy]]) -> Iterator[Object]:
    """Yield every object. The emitter is recorded here, so that no emitter can leave it out."""
    known = _table(part for part, _ in parts)
    for part, seen in parts:
        for emitter in part.emitters:
            for item in emitted_by(emitter, emitter(seen)):
                if item.group_kind not in known:
                    raise LookupError(f"the target {part.name} emits the kind {item.group_kind}: add it to its kinds")
                yield item


def _components(parts: list[tuple[Target, ir.Policy]], policy: ir.Policy, objects: list[Object]) -> Iterator[Component]:
    """Yield the components of a target. Every target offers the stock router from its own chart."""
    for part, seen in parts:
        for build in part.components:
            component = build(seen)
            if component is None:
                continue
            yield replace(component, objects=tuple(emitted_by(build, component.objects)))
    own_chart = isinstance(policy.router.implementation, ir.SemanticRouter) and stock_router.chart_takes_config(policy)
    if objects and own_chart:
        yield router.by_helm(policy, objects)


def _values(parts: list[tuple[Target, ir.Policy]], policy: ir.Policy) -> list[Values]:
    charts = [(chart, seen) for part, seen in parts for chart in part.charts]
    if isinstance(policy.router.implementation, ir.SemanticRouter) and any(part.emitters for part, _ in parts):
        charts.append((stock_router.chart, policy))
    values: list[Values] = []
    for chart, seen in charts:
        made = chart(seen)
        values += made if isinstance(made, tuple) else [made] if made is not None else []
    return sorted(values, key=lambda item: item.path)


def _unknown_releases(target: Target, policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR313 for a release that no table describes."""
    for project in looked_up(target.releases, policy.versions):
        release = policy.versions[project]
        known = sorted(target.tables.get(project) or RELEASES[project], key=by_number)
        if release not in known:
            message = f"{project} {release} is not a known release"
            hint = f"Use one of: {', '.join(known)}. Ask for another release in an issue."
            yield Diagnostic("VSR313", message, policy.gateway.span, hint)


def _collisions(objects: list[Object]) -> list[Diagnostic]:
    """VSR317 for objects of one name: the second would silently replace the first."""
    paths = Counter(item.path for item in objects)
    return [
        Diagnostic(
            "VSR317",
            f"two objects would be called {item.kind} {item.name} in {item.namespace or 'the cluster'}",
            item.origin,
            "Rename one of the two endpoints.",
        )
        for item in objects
        if paths[item.path] > 1
    ]


def _failed(notices: Iterable[Diagnostic]) -> bool:
    return any(notice.level is Severity.ERROR for notice in notices)


_registry: dict[str, Target] = {}
TARGETS: Mapping[str, Target] = MappingProxyType(_registry)
"""The registered targets by name."""


def register(target: Target) -> None:
    """Add a target, so that policies can name it.

    Raises:
        ValueError: A target of this name exists, or its kinds contradict those of another target.
    """
    if target.name in _registry:
        raise ValueError(f"a target named {target.name!r} exists already")
    _table((*_registry.values(), target))
    _registry[target.name] = target
    kinds.cache_clear()
    profiles.cache_clear()


def unregister(name: str) -> None:
    """Remove a target. For tests that register one."""
    del _registry[name]
    kinds.cache_clear()
    profiles.cache_clear()


@functools.cache
def kinds() -> Mapping[GroupKind, Kind]:
    """Return the table of kinds: the common ones and those of every registered target."""
    return _table(_registry.values())


@functools.cache
def profiles() -> Mapping[str, Mapping[str, str]]:
    """Return the releases of each profile by project, those of the targets' own projects among them."""
    own = [target.profiles for target in _registry.values()]
    merged = {name: dict(releases) for name, releases in PROFILES.items()}
    for releases in own:
        for name in merged:
            # A stack whose own projects have not changed since need not repeat a profile.
            merged[name] |= releases.get(name) or releases.get("current", {})
    return MappingProxyType(
        {name: MappingProxyType(dict(sorted(releases.items()))) for name, releases in merged.items()}
    )


def _table(targets: Iterable[Target]) -> Mapping[GroupKind, Kind]:
    return table((*KINDS.values(), *(kind for target in targets for kind in target.kinds)))
