"""A policy resolved for an environment: scale and placement change, routing never does."""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.ir.placement import Placement
from vsr_compiler.link.classifiers import PRECISIONS
from vsr_compiler.link.environments import PICKERS

ROUTER = "router"
"""The key of an environment's maps for the router."""


def resolve(policy: ir.Policy, environment: ir.Environment) -> ir.Policy:
    """Return the linked policy of one environment; the same policy object if the environment changes nothing.

    The router's files are those of the policy. `routerconfig.vsr_runtime.settings_for` adapts them to another device.
    """
    endpoints = {endpoint.name: _endpoint(endpoint, environment) for endpoint in policy.endpoints}
    moves: list[tuple[object, object]] = [*zip(policy.endpoints, endpoints.values(), strict=True)]
    moves += [(classifier, _classifier(classifier, environment)) for classifier in policy.classifiers]
    changed = {id(old): new for old, new in moves if new is not old}
    # Endpoints and classifiers are shared symbols, so every reference to one must get the new one.
    moved: ir.Policy = ir.substitute(policy, changed) if changed else policy
    gateway = replace(
        moved.gateway,
        name=environment.gateway_name or moved.gateway.name,
        namespace=environment.gateway_namespace or moved.gateway.namespace,
        listeners=ir.with_hostnames(moved.gateway.listeners, environment.hostnames),
    )
    result = replace(
        moved,
        router=_router(moved, environment),
        gateway=gateway,
        versions=environment.versions or moved.versions,
        identity=_identity(moved.identity, environment),
        attachment=environment.attachment or moved.attachment,
    )
    return policy if result == policy else result


def _identity(identity: ir.Identity | None, environment: ir.Environment) -> ir.Identity | None:
    """Return how clients are authenticated, by the environment's issuer of tokens."""
    if identity is None or not isinstance(identity.source, ir.Jwt):
        return identity
    source = replace(
        identity.source,
        issuer=environment.issuer or identity.source.issuer,
        audiences=environment.audiences or identity.source.audiences,
        jwks_uri=environment.jwks_uri or identity.source.jwks_uri,
    )
    return replace(identity, source=source)


def _classifier(classifier: ir.Classifier, environment: ir.Environment) -> ir.Classifier:
    """Return the classifier on the environment's device, in that device's precision unless the policy sets one."""
    device = environment.device
    if classifier.checkpoint is None or device is None or device == classifier.device:
        return classifier
    return replace(
        classifier, device=device, precision=classifier.precision if classifier.precision_is_set else PRECISIONS[device]
    )


def _router(policy: ir.Policy, environment: ir.Environment) -> ir.Router:
    """Return the router with the environment's scale. If the environment sets the device, GPUs follow from it."""
    router, gpus = policy.router, policy.router.gpus
    if environment.device is not None and not isinstance(router.implementation, ir.SemanticRouter):
        gpus = max(gpus, 1) if policy.on_gpu else 0
    return replace(
        router,
        gpus=gpus,
        replicas=environment.replicas.get(ROUTER, router.replicas),
        rollout=_rollout(router, environment),
        scaled_down_from=router.replicas if environment.replicas.get(ROUTER) == 0 else 0,
        image=environment.images.get(ROUTER, router.image),
        resources=environment.resources.get(ROUTER, router.resources),
        placement=_placement(router.placement, environment, ROUTER),
        candidate=environment.candidate or router.candidate,
    )


def _rollout(router: ir.Router, environment: ir.Environment) -> ir.Rollout | None:
    """Return the rollout of an environment: its own, that of the policy, or none."""
    if environment.rollout is None:
        return router.rollout
    return None if environment.rollout == "none" else environment.rollout


def _placement(placement: Placement, environment: ir.Environment, key: str) -> Placement:
    """Return a placement with the words of the environment."""
    own = environment.placement.get(key)
    return placement if own is None else placement.replaced_by(own.placement)


def _endpoint(endpoint: ir.Endpoint, environment: ir.Environment) -> ir.Endpoint:
    """Return the endpoint with the environment's scale. It applies only to pods that the compiler writes."""
    name, server = endpoint.name, endpoint.kind
    pickers = environment.placement.get(PICKERS)
    if pickers is not None and (isinstance(server, ir.VllmServer) or endpoint.pods is not None):
        endpoint = replace(endpoint, picker_placement=pickers.placement)
    if not isinstance(server, ir.VllmServer):
        return endpoint
    placed = environment.placement.get(name)
    changed = replace(
        server,
        replicas=environment.replicas.get(name, server.replicas),
        scaled_down_from=server.replicas if environment.replicas.get(name) == 0 else 0,
        image=environment.images.get(name, server.image),
        resources=environment.resources.get(name, server.resources),
        simulate=environment.simulate,
        # What an endpoint says of its nodes is about its hardware, which a simulator does not use.
        placement=_placement(Placement() if environment.simulate else server.placement, environment, name),
        device=placed.device if placed is not None and placed.device is not None else server.device,
    )
    return endpoint if changed == server else replace(endpoint, kind=changed)
