"""A target is a short list of features. No object is emitted by two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets.ai_gateway import ai_backend, routes
from vsr_compiler.targets.common import (
    autoscaling,
    backend_external,
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
    stock_router,
    vllm,
)
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.envoy_gateway import backend, envoypatch, gateway, helm_values, preflight
from vsr_compiler.targets.istio import envoyfilter, istio_gateway
from vsr_compiler.targets.llm_d import disaggregation
from vsr_compiler.targets.production_stack import stack
from vsr_schemas.headers import AI_MODEL

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
    istio_gateway.emit,
    envoyfilter.emit,
    router.emitter(),
    router_policies.emitter(istio_gateway.pods),
    pod_services.emit,
    backend_external.emit,
)
ENVOY_GATEWAY: tuple[Emit, ...] = (
    namespaces.emit,
    envoypatch.emit,
    router_policies.emitter(gateway.pods),
    pod_services.emit,
    model_servers.emit,
)
COMMON_CHECKS: tuple[Check, ...] = (backend_external.check, router.check, routes_httproute.check, vllm.check)
ISTIO_CHECKS: tuple[Check, ...] = (*COMMON_CHECKS, istio_gateway.check)
COMMON_RELEASES = ("gateway-api", "vllm", "llm-d-inference-sim")
ISTIO_RELEASES = ("istio", *COMMON_RELEASES)
PICKER = "inference-extension"
"""Whose endpoint pickers AI Gateway asks."""


def _pooled(project: str) -> tuple[Emit, ...]:
    """Istio's pools, with the endpoint pickers of a project."""
    return pools.emit, picker.emitter(project), picker.istio_ways


BEFORE_STACK = "ai-gateway"
"""The target whose gateway stands before the production stack."""

_TARGETS: Mapping[str, tuple[Emit, ...]] = MappingProxyType(
    {
        "istio": (*ISTIO_GATEWAY, model_servers.emit, routes_httproute.emitter(routes_httproute.service_backend)),
        "gie": (*ISTIO_GATEWAY, model_servers.emit, *_pooled("inference-extension")),
        "llm-d": (*ISTIO_GATEWAY, disaggregation.emit, *_pooled("llm-d-router")),
        "ai-gateway": (
            *ENVOY_GATEWAY,
            gateway.emitter(routes.homes, [AI_MODEL]),
            router.emitter(headless=True, keys=False),
            ai_backend.emit,
            picker.emitter(PICKER, pools.asked_for),
            routes.emit,
        ),
        "envoy-gateway": (
            *ENVOY_GATEWAY,
            gateway.emitter(routes_httproute.homes),
            router.emitter(headless=True),
            backend.emit,
            routes_httproute.emitter(backend.reference),
        ),
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
        "istio": Checks(releases_check.known(*ISTIO_RELEASES), (*ISTIO_CHECKS, refusals.pools_ignored("istio"))),
        "gie": _pool_checks("inference-extension"),
        "llm-d": _pool_checks("llm-d-router"),
        "ai-gateway": Checks(
            releases_check.known("envoy-ai-gateway", "envoy-gateway", PICKER, *COMMON_RELEASES),
            (
                *COMMON_CHECKS,
                releases_check.envoy_gateway,
                releases_check.ai_gateway,
                ai_backend.check,
                picker.checker(PICKER, pools.asked_for),
                preflight.ai_gateway,
            ),
        ),
        "envoy-gateway": Checks(
            releases_check.known("envoy-gateway", *COMMON_RELEASES),
            (
                *COMMON_CHECKS,
                releases_check.envoy_gateway,
                refusals.pools_ignored("envoy-gateway"),
                preflight.envoy_gateway,
            ),
        ),
    }
)


def _before_stack(checks: Checks) -> Checks:
    """For what its gateway cannot do with the one Service that it sees, and what the stack cannot."""
    own = (releases_check.known("production-stack", "vllm"), stack.check, vllm.check)
    return Checks(checks.releases, (*own, *map(stack.seen, checks.rest)))


CHECKS = MappingProxyType({**_CHECKS, "production-stack": _before_stack(_CHECKS[BEFORE_STACK])})

_OPTIONS: Mapping[str, tuple[Option, ...]] = MappingProxyType(
    {
        "istio": (monitoring.component(istio_gateway.pods), autoscaling.component),
        "gie": (monitoring.component(istio_gateway.pods, pools.pooled), autoscaling.component),
        "llm-d": (monitoring.component(istio_gateway.pods, pools.pooled), autoscaling.component),
        "ai-gateway": (monitoring.component(gateway.pods, pools.asked_for), autoscaling.component),
        "envoy-gateway": (monitoring.component(gateway.pods), autoscaling.component),
    }
)

OPTIONS = MappingProxyType({**_OPTIONS, "production-stack": tuple(map(stack.seen, _OPTIONS[BEFORE_STACK]))})

_CHARTS: Mapping[str, tuple[Chart, ...]] = MappingProxyType(
    {
        "ai-gateway": (helm_values.with_ai_gateway,),
        "envoy-gateway": (helm_values.plain,),
    }
)
CHARTS = MappingProxyType({**_CHARTS, "production-stack": (stack.chart, *map(stack.seen, _CHARTS[BEFORE_STACK]))})
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
