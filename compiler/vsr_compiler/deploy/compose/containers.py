"""Everything that runs on one host: Envoy, the router, what it downloads, and model servers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.deploy.compose import devices, servers
from vsr_compiler.deploy.compose.bodies import bounds, settings
from vsr_compiler.deploy.compose.envoy import tls_folder
from vsr_compiler.deploy.compose.facts import (
    ADMIN_PORT,
    ALIAS,
    CANDIDATE_FOLDER,
    CANDIDATE_PATH,
    DRAIN,
    ENVOY,
    ENVOY_FOLDER,
    ENVOY_IMAGE,
    ENVOY_PATH,
    FETCH,
    FRONT,
    MEBIBYTE,
    ROOT,
    ROUTER,
    ROUTER_FOLDER,
    ROUTER_NETWORK,
    ROUTER_PATH,
    SECRETS_PATH,
    USER,
)
from vsr_compiler.deploy.compose.model import (
    Condition,
    Container,
    Devices,
    Folder,
    Health,
    Limits,
    Plan,
    Port,
    SecretFile,
    Variable,
    Volume,
)
from vsr_compiler.deploy.compose.ports import inner_ports
from vsr_compiler.deploy.envoy_config import MAX_HEAP
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.semantic_router import STOCK_ROUTER
from vsr_compiler.routerconfig import CONFIG
from vsr_compiler.targets.common import candidate, router_models, stock_router
from vsr_compiler.targets.common import router as pods
from vsr_compiler.targets.common.extproc import CLIENT_CONNECTIONS, follows_responses
from vsr_compiler.targets.common.identity import client_keys
from vsr_compiler.targets.common.workloads import resources
from vsr_schemas.runtime import FOLLOWING

MODELS = "models"
_READY = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/readyz', timeout=4)"
_LIVE = (
    f"exec 3<>/dev/tcp/127.0.0.1/{ADMIN_PORT}; "
    "printf 'GET /ready HTTP/1.1\\r\\nHost: envoy\\r\\nConnection: close\\r\\n\\r\\n' >&3; grep -q LIVE <&3"
)
"""Envoy's administration answers no HTTP/1.0, and its image has no client of HTTP."""
ENVOY_OPTIONS = ("--disable-hot-restart", "--log-level", "warning")
ENVOY_MEMORY = MAX_HEAP + (1 << 30)
"""Envoy refuses requests near its own limit, and needs some memory besides."""
FILES = 2 * CLIENT_CONNECTIONS + 4096
"""File descriptors of Envoy: a connection of each client, and one to an endpoint."""


def plan(policy: ir.Policy, environment: ir.Environment, host: ir.Host, files: Mapping[str, bytes]) -> Plan:
    """Return what runs on a host.

    Args:
        policy: The policy as the host has it.
        environment: The environment.
        host: Its machine.
        files: The files of Envoy and the router, by path.
    """
    gpus = devices.allotted(policy)
    made = [
        servers.container(policy, endpoint, endpoint.server, gpus.get(f"endpoint/{endpoint.name}", ()))
        for endpoint in policy.endpoints
        if endpoint.server is not None
    ]
    stock = isinstance(policy.router.implementation, ir.SemanticRouter)
    router = _stock(policy) if stock else _router(policy, gpus.get(ROUTER, ()), files)
    fetch = list(_fetch(policy))
    project = f"{ir.object_name(policy.name)}-{environment.name}"
    return Plan(project, (*made, *fetch, router, _envoy(policy, host, files)))


def _envoy(policy: ir.Policy, host: ir.Host, files: Mapping[str, bytes]) -> Container:
    local = any(place in {"localhost", "127.0.0.1"} for place, _ in host.places.values())
    return Container(
        name=ENVOY,
        alias=f"{ALIAS}{ENVOY}",
        image=host.image or ENVOY_IMAGE,
        command=("bash", f"{ENVOY_PATH}/run.sh", "-c", f"{ENVOY_PATH}/envoy.yaml", *ENVOY_OPTIONS),
        user=USER,
        networks=(FRONT, ROUTER_NETWORK),
        stop=DRAIN + 10,
        origin=policy.gateway.span,
        environment=(("ADMIN_PORT", str(ADMIN_PORT)), ("DRAIN", str(DRAIN))),
        folders=(Folder(ENVOY_FOLDER, ENVOY_PATH),),
        secrets=tuple(_certificates(policy)),
        scratch=(("/tmp", 16 * MEBIBYTE),),  # noqa: S108 - in the container
        ports=tuple(Port(host.bind, port, inner) for port, inner in inner_ports(policy.gateway).items()),
        health=Health(("bash", "-c", _LIVE), 10, 3, 30),
        limits=Limits(ENVOY_MEMORY, files=FILES),
        after=((ROUTER, "service_healthy"),),
        reaches_host=local,
        digest=_digest({path: data for path, data in files.items() if path.startswith(f"{ENVOY_FOLDER}/")}),
    )


def _certificates(policy: ir.Policy) -> Iterator[SecretFile]:
    """Yield the files of listeners: certificate, key and authorities of clients."""
    for listener in policy.gateway.listeners:
        if listener.tls is None:
            continue
        secret, _ = policy.gateway.certificate(listener)
        for key in ("tls.crt", "tls.key"):
            yield SecretFile(secret, key, f"{tls_folder(listener)}/{key}", f"certificate of listener {listener.name}")
        if listener.client_certificates is not None:
            name, target = listener.client_certificates.name, f"{tls_folder(listener)}/ca.crt"
            yield SecretFile(name, "ca.crt", target, f"authorities of clients of listener {listener.name}")


def _router(policy: ir.Policy, gpus: tuple[int, ...], files: Mapping[str, bytes]) -> Container:
    router = policy.router
    secrets = tuple(_keys(policy))
    folder = ["--credentials", f"{SECRETS_PATH}/credentials"] if secrets else []
    environment, variables = settings(
        [{"name": "VSR_CACHE_DIR", "value": pods.CACHE_PATH}, *router_models.environment(policy, pods.CACHE_PATH)],
        router.placement,
    )
    limits = bounds(resources(*router_models.needs(policy), router.resources))
    hot = router.reload == "hot"
    own = {path: data for path, data in files.items() if path.startswith((f"{ROUTER_FOLDER}/", f"{CANDIDATE_FOLDER}/"))}
    other = router.candidate
    beside = candidate.flags(other, f"{CANDIDATE_PATH}/{CONFIG}") if other is not None else []
    extra = {"candidate": " ".join(beside).encode()} if beside else {}
    after: tuple[tuple[str, Condition], ...] = tuple(
        (item.name, "service_completed_successfully") for item in _fetch(policy)
    )
    return Container(
        name=ROUTER,
        alias=f"{ALIAS}{ROUTER}",
        image=router.image,
        command=(
            "serve",
            f"--config={ROUTER_PATH}/{CONFIG}",
            f"--address=0.0.0.0:{router.grpc.port}",
            f"--http-address=0.0.0.0:{router.http.port}",
            *folder,
            *beside,
        ),
        user=USER,
        # Variables of the policy may name a collector of traces.
        networks=(FRONT, ROUTER_NETWORK) if router.placement.env else (ROUTER_NETWORK,),
        stop=pods.STOP_SECONDS + (FOLLOWING if follows_responses(policy) else 0),
        origin=router.span,
        environment=environment,
        variables=variables,
        folders=(Folder(ROUTER_FOLDER, ROUTER_PATH), *([Folder(CANDIDATE_FOLDER, CANDIDATE_PATH)] if beside else [])),
        volumes=tuple(_models(policy, read_only=True)),
        secrets=secrets,
        scratch=((pods.CACHE_PATH, 256 * MEBIBYTE), ("/tmp", 16 * MEBIBYTE)),  # noqa: S108 - in the container
        health=Health(("python3", "-c", _READY.format(port=router.http.port)), 5, 3, 600 if policy.fetched else 60),
        limits=Limits(limits.memory, limits.cpus),
        devices=Devices(nvidia=gpus),
        after=after,
        # Of a router that reads changed files only what a reload cannot change is part of its digest.
        digest=_digest({"agreed": _agreed(policy), **extra} if hot else own),
    )


def _keys(policy: ir.Policy) -> Iterator[SecretFile]:
    """Yield the keys of endpoints, of clients and of the store of responses, which the router reads."""
    endpoints = {model.keyed.name: model.keyed for model in policy.models if model.keyed}
    for name, endpoint in sorted(endpoints.items()):
        if endpoint.api_key is not None:
            target = f"{SECRETS_PATH}/credentials/{endpoint.credential}"
            yield SecretFile(endpoint.api_key.secret, endpoint.api_key.key, target, f"key of endpoint {name}")
    for key in client_keys(policy):
        yield SecretFile(key.secret, key.key, f"{SECRETS_PATH}/clients/{key.file}", "key of a client")
    for secret, place, name in policy.router.cache.files if policy.router.cache else ():
        yield SecretFile(secret, place, f"{SECRETS_PATH}/cache-store/{name}", f"{name} of the store of responses")
    for one in policy.remote_classifiers:
        folder = f"{SECRETS_PATH}/detectors"
        if one.server is not None and one.server.api_key is not None:
            own = one.server.api_key
            yield SecretFile(own.secret, own.key, f"{folder}/{one.key_file}", f"key of classifier {one.name}")
        if one.server is not None and one.server.authority is not None:
            what = f"authority of classifier {one.name}"
            yield SecretFile(one.server.authority, "ca.crt", f"{folder}/{one.authority_file}", what)


def _fetch(policy: ir.Policy) -> Iterator[Container]:
    """Yield the container that downloads checkpoints, as the init container of a cluster does."""
    for body in router_models.fetcher(policy):
        environment, variables = settings(body["env"], ir.Placement())
        limits = bounds(body["resources"])
        yield Container(
            name=FETCH,
            alias=f"{ALIAS}{FETCH}",
            image=body["image"],
            command=tuple(body["args"]),
            user=ROOT,
            networks=(FRONT,),
            stop=10,
            origin=policy.router.span,
            environment=environment,
            variables=variables,
            volumes=tuple(_models(policy, read_only=False)),
            scratch=(("/tmp", 64 * MEBIBYTE),),  # noqa: S108 - in the container
            limits=Limits(limits.memory, limits.cpus),
            once=True,
        )


def _models(policy: ir.Policy, *, read_only: bool) -> Iterator[Volume]:
    if policy.fetched:
        own = policy.router.weights is None
        yield Volume(policy.router.weights or MODELS, router_models.MODELS_PATH, own=own, read_only=read_only)


def _stock(policy: ir.Policy) -> Container:
    """Return the container of the stock router. Its image runs as root and has files beside its config."""
    router, release = policy.router, STOCK_ROUTER[policy.versions["semantic-router"]]
    environment, variables = settings(stock_router.environment(policy), router.placement)
    limits = bounds(resources(stock_router.REQUESTS, stock_router.LIMITS, router.resources))
    port = router.grpc.port
    own = router.weights is None
    return Container(
        name=ROUTER,
        alias=f"{ALIAS}{ROUTER}",
        image=router.image or release.image,
        command=release.args,
        user=ROOT,
        networks=(FRONT, ROUTER_NETWORK),  # it downloads its models
        stop=30,
        origin=router.span,
        environment=environment,
        variables=tuple(Variable(item.name, item.secret, item.key, item.optional) for item in variables),
        folders=(Folder(f"{ROUTER_FOLDER}/{CONFIG}", release.config),),
        volumes=(Volume(router.weights or MODELS, release.models, own=own),),
        scratch=(("/tmp", 256 * MEBIBYTE),),  # noqa: S108 - in the container
        health=Health(("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"), 10, 3, 3600),
        limits=Limits(limits.memory, limits.cpus),
        read_only=False,
        digest=_digest(router.files),
    )


def _agreed(policy: ir.Policy) -> bytes:
    body: Body = pods.agreed(policy) | {"maxMessage": policy.router.max_message}
    return json.dumps(body, sort_keys=True).encode()


def _digest(files: Mapping[str, bytes]) -> str:
    return pods.digest(files) if files else hashlib.sha256().hexdigest()
