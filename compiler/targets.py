"""A target is a short list of features. No object is emitted by two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compiler.diagnostics import CompileError, Diagnostic, Severity
from compiler.features import (
    attach_envoyfilter,
    autoscaling,
    backend_external,
    disaggregation,
    gateway_istio,
    model_servers,
    monitoring,
    namespaces,
    picker,
    pod_services,
    pools,
    refusals,
    releases_check,
    router,
    router_policies,
    routes_httproute,
    stack,
    stock_router,
    vllm,
)
from compiler.features.components import Component
from compiler.features.helm import Values
from compiler.features.objects import Object
from compiler.link import ir

Emit = Callable[[ir.Policy], Iterable[Object]]
Check = Callable[[ir.Policy], Iterable[Diagnostic]]
Option = Callable[[ir.Policy], Component]
Chart = Callable[[ir.Policy], Values | None]


@dataclass(frozen=True, slots=True)
class Checks:
    """What a target cannot do. ``releases`` must hold before the rest is asked."""

    releases: Check
    rest: tuple[Check, ...]


ISTIO_GATEWAY: tuple[Emit, ...] = (
    namespaces.emit,
    gateway_istio.emit,
    attach_envoyfilter.emit,
    router.emit,
    router_policies.emitter(gateway_istio.pods),
    pod_services.emit,
    backend_external.emit,
)
ISTIO_CHECKS: tuple[Check, ...] = (backend_external.check, router.check, routes_httproute.check, vllm.check)
ISTIO_RELEASES = ("istio", "gateway-api", "vllm", "llm-d-inference-sim")


def _pooled(project: str) -> tuple[Emit, ...]:
    """Istio's pools, with the endpoint pickers of a project."""
    return pools.emit, picker.emitter(project), picker.istio_ways


BEFORE_STACK = "istio"
"""The target whose gateway stands before the production stack."""

_TARGETS: Mapping[str, tuple[Emit, ...]] = MappingProxyType(
    {
        "istio": (*ISTIO_GATEWAY, model_servers.emit, routes_httproute.emit),
        "gie": (*ISTIO_GATEWAY, model_servers.emit, *_pooled("inference-extension")),
        "llm-d": (*ISTIO_GATEWAY, disaggregation.emit, *_pooled("llm-d-router")),
    }
)
TARGETS = MappingProxyType({**_TARGETS, "production-stack": tuple(map(stack.seen, _TARGETS[BEFORE_STACK]))})


def _pool_checks(project: str) -> Checks:
    """For a target that pools the models behind the endpoint pickers of a project."""
    return Checks(
        releases_check.known(*ISTIO_RELEASES, "inference-extension", project),
        (*ISTIO_CHECKS, pools.check, picker.checker(project), releases_check.preflight(project)),
    )


_CHECKS: Mapping[str, Checks] = MappingProxyType(
    {
        "istio": Checks(releases_check.known(*ISTIO_RELEASES), (*ISTIO_CHECKS, refusals.pools_ignored)),
        "gie": _pool_checks("inference-extension"),
        "llm-d": _pool_checks("llm-d-router"),
    }
)


def _before_stack(checks: Checks) -> Checks:
    """For what its gateway cannot do with the one Service that it sees, and what the stack cannot."""
    own = (releases_check.known("production-stack", "vllm"), stack.check, vllm.check)
    return Checks(checks.releases, (*own, *map(stack.seen, checks.rest)))


CHECKS = MappingProxyType({**_CHECKS, "production-stack": _before_stack(_CHECKS[BEFORE_STACK])})

_OPTIONS: Mapping[str, tuple[Option, ...]] = MappingProxyType(
    {
        "istio": (monitoring.component(gateway_istio.pods), autoscaling.component),
        "gie": (monitoring.component(gateway_istio.pods, pools.pooled), autoscaling.component),
        "llm-d": (monitoring.component(gateway_istio.pods, pools.pooled), autoscaling.component),
    }
)

OPTIONS = MappingProxyType({**_OPTIONS, "production-stack": tuple(map(stack.seen, _OPTIONS[BEFORE_STACK]))})

_CHARTS: Mapping[str, tuple[Chart, ...]] = MappingProxyType({})
CHARTS: Mapping[str, tuple[Chart, ...]] = MappingProxyType(
    {**_CHARTS, "production-stack": (stack.chart, *map(stack.seen, _CHARTS.get(BEFORE_STACK, ())))}
)
"""What a target hands to Helm; most hand nothing."""


def objects(policy: ir.Policy, target: str) -> list[Object]:
    """Every object of a target, sorted by where its file goes.

    Raises:
        CompileError: VSR312 to VSR317, with everything that ``notices`` finds.
    """
    found = _checked(policy, target)
    if not _failed(found):
        emitted = _emitted(policy, target)
        found += _collisions(emitted)
        if not _failed(found):
            return emitted
    raise CompileError(found)


def components(policy: ir.Policy, target: str) -> list[Component]:
    """The options of a target, for overlays of the user's own."""
    options = (*OPTIONS[target], router.by_helm) if policy.router.stock else OPTIONS[target]
    return [option(policy) for option in options]


def values(policy: ir.Policy, target: str) -> list[Values]:
    """What Helm takes for a target, a file a chart, by the names of the charts."""
    charts = (*CHARTS.get(target, ()), stock_router.chart) if policy.router.stock else CHARTS.get(target, ())
    found = [chart(policy) for chart in charts]
    return sorted((item for item in found if item is not None), key=lambda item: item.chart)


def notices(policy: ir.Policy, target: str) -> list[Diagnostic]:
    """What the target ignores, refuses or needs, each at the line that asked for it, sorted by place."""
    found = _checked(policy, target)
    if not _failed(found):
        found += _collisions(_emitted(policy, target))
    return sorted(found, key=lambda item: item.order)


def _checked(policy: ir.Policy, target: str) -> list[Diagnostic]:
    """Without a table for a release there is nothing to check the rest against."""
    checks = CHECKS[target]
    return list(checks.releases(policy)) or [item for check in checks.rest for item in check(policy)]


def _failed(found: list[Diagnostic]) -> bool:
    return any(item.level is Severity.ERROR for item in found)


def _emitted(policy: ir.Policy, target: str) -> list[Object]:
    found = [item for emit in TARGETS[target] for item in emit(policy)]
    return sorted(found, key=lambda item: item.path)


def _collisions(emitted: list[Object]) -> list[Diagnostic]:
    """VSR317: of two objects of one name, the second would silently replace the first."""
    paths = Counter(item.path for item in emitted)
    return [
        Diagnostic(
            "VSR317",
            f"two objects would be called {item.kind} {item.name} in {item.namespace or 'the cluster'}",
            item.origin,
            "Rename one of the two endpoints.",
        )
        for item in emitted
        if paths[item.path] > 1
    ]
