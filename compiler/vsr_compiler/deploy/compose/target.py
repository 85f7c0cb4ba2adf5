"""The target `compose`: what a host passes to its models, and what it ignores, needs or cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.deploy.compose.devices import SUPPORTED
from vsr_compiler.deploy.compose.facts import ALIAS, USER
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.hosts import COMPOSE
from vsr_compiler.ir.placement import KeyReference
from vsr_compiler.targets import Target
from vsr_compiler.targets.common import providers, request_limits, vllm

DOCS = "docs/how-to/run-on-one-host.md"
_IGNORED = {
    "node_selector": "nodeSelector",
    "tolerations": "tolerations",
    "affinity": "affinity",
    "spread": "topologySpread",
    "runtime_class": "runtimeClass",
    "priority_class": "priorityClass",
    "storage_class": "storageClass",
    "pull_secrets": "pullSecrets",
}
"""Words of placement that are about nodes or a cluster."""


def _check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311 for what one host ignores, VSR312 for what it cannot do."""
    yield from _placement("the router", policy.router.placement, policy.router.span)
    if policy.router.autoscaling is not None:
        yield _ignored("`autoscaling` of the router", policy.router.autoscaling.span)
    if policy.router.rollout is not None:
        yield _ignored("`rollout` of the router", policy.router.rollout.span)
    for endpoint in policy.endpoints:
        yield from _endpoint(endpoint)
    for one in policy.remote_classifiers:
        if one.server is not None and one.server.namespace is not None:
            message = f"the server of classifier `{one.name}` is in a cluster"
            yield Diagnostic("VSR312", message, one.server.span, "Use the `url` of a server that the host reaches.")
    for limit in policy.limits:
        if limit.by_gateway:
            message = f"one host has no Redis to count the limit `{limit.name}`"
            yield Diagnostic("VSR337", message, limit.span, "Use `countedBy: router`: it counts all requests there.")


def _endpoint(endpoint: ir.Endpoint) -> Iterator[Diagnostic]:
    kind = endpoint.kind
    match kind:
        case ir.VllmServer():
            yield from _server(endpoint, kind)
        case ir.ExistingPods():
            message = f"pods are in a cluster, and the endpoint `{endpoint.name}` has no other place"
            yield Diagnostic("VSR312", message, endpoint.span, _place_hint(endpoint))
        case ir.ExistingPool() | ir.ForeignRoute():
            message = (
                f"pools and routes of others are in a cluster, and the endpoint `{endpoint.name}` has no other place"
            )
            yield Diagnostic("VSR312", message, endpoint.span, _place_hint(endpoint))
        case ir.ExistingService() | ir.Provider():
            if endpoint.provider is None and endpoint.service.name.startswith(ALIAS):
                message = f"names in the network of a host that begin with `{ALIAS}` are its own"
                yield Diagnostic("VSR312", message, endpoint.span, _place_hint(endpoint))
        case _:
            assert_never(kind)


def _place_hint(endpoint: ir.Endpoint) -> str:
    return f"Name its place: `host: {{endpoints: {{{endpoint.name}: HOST:PORT}}}}`."


def _server(endpoint: ir.Endpoint, server: ir.VllmServer) -> Iterator[Diagnostic]:
    name = f"the server `{endpoint.name}`"
    if endpoint.pool is not None:
        message = f"the pool of `{endpoint.name}` is ignored: one host has no endpoint picker"
        hint = "Requests are balanced over the endpoints of a model by their weights."
        yield Diagnostic("VSR311", message, endpoint.pool.span, hint)
    if server.replicas > 1:
        yield _ignored(f"`replicas` of {name}, which is one container,", endpoint.span)
    if server.autoscaling is not None:
        yield _ignored(f"`autoscaling` of {name}", server.autoscaling.span)
    yield from _placement(name, server.placement, endpoint.span)
    if not server.simulate and (server.device or "nvidia") not in SUPPORTED:
        message = f"how containers of one host get the hardware `{server.device}` of `{endpoint.name}` is not known"
        hint = f"Use one of: {', '.join(sorted(SUPPORTED))}, or start the server yourself. {_place_hint(endpoint)}"
        yield Diagnostic("VSR312", message, endpoint.span, hint)


def _placement(name: str, placement: ir.Placement, span: ir.Span) -> Iterator[Diagnostic]:
    lost = [f"`{word}`" for field, word in _IGNORED.items() if getattr(placement, field)]
    if lost:
        yield _ignored(f"{' and '.join(lost)} of {name}", span)
    if placement.volumes:
        message = f"`volumes` of {name} are objects of a cluster"
        yield Diagnostic("VSR312", message, span, "Remove them, or mount them in `compose.override.yaml`.")
    for variable in placement.env or ():
        if isinstance(variable.value, KeyReference) and variable.value.kind != "secret":
            message = f"the variable `{variable.name}` of {name} is in a ConfigMap, which one host does not have"
            yield Diagnostic("VSR312", message, span, "Set its value, or name a Secret.")


def _ignored(what: str, span: ir.Span) -> Diagnostic:
    return Diagnostic("VSR311", f"{what} is ignored on one host", span, "Nothing has to change.")


def _preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315 for what the host must have before the first start."""
    gpus = sum(item.server.gpus for item in policy.endpoints if item.server is not None and _nvidia(item.server))
    gpus += policy.router.gpus
    if gpus:
        message = f"the host needs {gpus} NVIDIA GPU{'s' * (gpus > 1)}, and the NVIDIA Container Toolkit"
        yield Diagnostic("VSR315", message, policy.span, "Each container gets GPUs of its own, by their indices.")
    for listener in policy.gateway.listeners:
        if listener.tls is None:
            continue
        secret, _ = policy.gateway.certificate(listener)
        issuer = ", since one host has no cert-manager" if listener.tls.issuer is not None else ""
        message = f"the certificate of `{listener.name}` must be in the folder of secrets{issuer}"
        hint = f"Write `{secret}/tls.crt` and `{secret}/tls.key` there, readable by user {USER.partition(':')[0]}."
        yield Diagnostic("VSR315", message, listener.span, hint)


def _nvidia(server: ir.VllmServer) -> bool:
    return not server.simulate and server.device in {None, "nvidia"}


def _identity(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR335 for what authentication needs of a host."""
    identity = policy.identity
    if identity is None:
        return
    match identity.source:
        case ir.Jwt(jwks_uri=uri):
            message = f"clients are authenticated with the keys at {uri}: while they cannot be had, nobody is served"
            hint = "Let the host reach the URL; its certificate must be by a public authority."
        case ir.ApiKeys(keys):
            names = ", ".join(f"`{name}`" for name in sorted({key.secret for key in keys}))
            message = f"the folder of secrets must have the keys of the clients: {names}"
            hint = "Each key needs 16 characters; without it the router does not start."
        case ir.GatewayHeader(_, networks):
            if not networks:
                yield from _open(policy)
            sender = f"can send requests from {', '.join(networks)}" if networks else "has a client certificate"
            message = f"whoever {sender} can be any user"
            hint = "Published ports can hide addresses of clients, those of rootless Podman do: require certificates."
    yield Diagnostic("VSR335", message, identity.span, hint)


def _open(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR334 for a listener without client certificates, if they say which requests are the front end's."""
    for listener in policy.gateway.listeners:
        if listener.redirect is None and listener.client_certificates is None:
            message = (
                f"listener `{listener.name}` takes requests without a client certificate: anybody could be any user"
            )
            hint = "Set `clientCertificates` of the listener, or list the networks of the front end in `from`."
            yield Diagnostic("VSR334", message, listener.span, hint)


TARGET = Target(
    name=COMPOSE,
    title="Docker or Podman Compose",
    docs=DOCS,
    releases=("vllm", "llm-d-inference-sim"),
    hops=(request_limits.hops_of("vllm", request_limits.model_servers), providers.hops),
    checks=(vllm.check, providers.check, _check, _identity),
    preflight=(_preflight,),
    reaches=(ir.ExistingPool, ir.ForeignRoute),
)
"""It renders no objects: `emit()` writes its files."""
