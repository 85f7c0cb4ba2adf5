"""A policy as an environment has it: scale and place changed, routing never."""

from __future__ import annotations

from dataclasses import replace

from compiler.diagnostics import CompileError, Diagnostic
from compiler.link import ir
from compiler.link.rebuilt import rebuilt

ROUTER = "router"
"""The key of ``replicas``, ``images`` and ``resources`` that means the router."""
NOT_YET = ("device",)
"""What an environment may say and no feature executes yet."""


def resolve(policy: ir.Policy, environment: ir.Environment) -> ir.Policy:
    """The linked policy of one environment; the policy itself where the environment changes nothing.

    Raises:
        CompileError: VSR304 for a setting that nothing executes yet.
    """
    if problems := [_not_yet(environment, name) for name in NOT_YET if getattr(environment, name)]:
        raise CompileError(problems)
    endpoints = {endpoint.name: _endpoint(endpoint, environment) for endpoint in policy.endpoints}
    changed = {id(old): new for old, new in zip(policy.endpoints, endpoints.values(), strict=True) if new is not old}
    # An endpoint is one symbol: models, routes and tests that hold it must go on holding the same one.
    moved: ir.Policy = rebuilt(policy, changed) if changed else policy
    gateway = replace(
        moved.gateway,
        name=environment.gateway_name or moved.gateway.name,
        namespace=environment.gateway_namespace or moved.gateway.namespace,
    )
    result = replace(
        moved,
        router=_router(moved.router, environment),
        gateway=gateway,
        versions=environment.versions or moved.versions,
    )
    return policy if result == policy else result


def _not_yet(environment: ir.Environment, name: str) -> Diagnostic:
    message = f"`{environment.name}` sets `{name}`, which the target `{environment.target}` does not do yet"
    return Diagnostic("VSR304", message, environment.span, f"Remove `{name}`.")


def _router(router: ir.Router, environment: ir.Environment) -> ir.Router:
    return replace(
        router,
        replicas=environment.replicas.get(ROUTER, router.replicas),
        image=environment.images.get(ROUTER, router.image),
        resources=environment.resources.get(ROUTER, router.resources),
    )


def _endpoint(endpoint: ir.Endpoint, environment: ir.Environment) -> ir.Endpoint:
    """The endpoint with its own numbers; only pods that the compiler writes have any."""
    name, server = endpoint.name, endpoint.server
    if server is None:
        return endpoint
    changed = replace(
        server,
        replicas=environment.replicas.get(name, server.replicas),
        image=environment.images.get(name, server.image),
        resources=environment.resources.get(name, server.resources),
        simulate=environment.simulate,
    )
    return endpoint if changed == server else replace(endpoint, server=changed)
