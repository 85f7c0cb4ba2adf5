"""The router: its Deployment, configuration and Services.

The configuration is a ConfigMap whose name changes with its content. So a change is a rollout, every pod serves the
configuration that it was started with, and a sync that waits for the Deployment knows when no pod serves the old one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.hashed_names import hashed_name
from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common import candidate, classifier_servers, rollout, router_models, stock_router
from vsr_compiler.targets.common.cache_store import file_sources
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.extproc import ext_proc_filter, follows_responses
from vsr_compiler.targets.common.identity import key_sources
from vsr_compiler.targets.common.placement import place
from vsr_compiler.targets.common.workloads import (
    HARDENED,
    UNPRIVILEGED,
    container,
    container_port,
    deployment_spec,
    http_probe,
    resources,
    selector,
    service_port,
    service_spec,
    spread,
)
from vsr_schemas.runtime import FOLLOWING

CONFIG_PATH = "/etc/vsr"
CREDENTIALS_PATH = f"{CONFIG_PATH}/credentials"
CLIENTS_PATH = f"{CONFIG_PATH}/clients"
STORE_PATH = f"{CONFIG_PATH}/cache-store"
DETECTORS_PATH = f"{CONFIG_PATH}/detectors"
CACHE_PATH = "/var/cache/vsr"
STOP_SECONDS = 30
"""Seconds that the router needs to stop, without the time for responses that it reads."""
SHUTDOWN_DELAY = 5
"""Seconds that the router accepts new connections after SIGTERM, because gateways and nodes learn of the termination
with a delay."""
MAX_CONFIG_MAP = 1_000_000
"""Bytes. The API server limits an object to 1 MiB; the difference is for its metadata."""


def emitter(
    *, headless: bool = False, keys: bool = True, starts_after: int = 0, gateway: str = ""
) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter of the router's objects.

    Args:
        headless: Whether the gateway balances over the addresses of the pods, which a ClusterIP would hide.
        keys: Whether the router adds the API keys of providers; otherwise the gateway does.
        starts_after: Seconds before a new pod can get ready: what the gateway needs after its routes are accepted.
        gateway: The gateway that asks, if it is not an Envoy.
    """

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield the router's objects."""
        return _router(policy, headless=headless, keys=keys, starts_after=starts_after, gateway=gateway)

    return emit


def _router(policy: ir.Policy, *, headless: bool, keys: bool, starts_after: int, gateway: str = "") -> Iterator[Object]:
    """Yield the objects. The router's folder (config, settings, classifier heads) becomes one ConfigMap."""
    router = policy.router
    files = router.files
    name, namespace, origin = router.grpc.name, router.grpc.namespace, router.span
    data = _config_data(files)
    # With `hot`, pods follow changes of their ConfigMap, except where other objects have to change first.
    hot = router.reload == "hot"
    config = hashed_name(f"{name}-config", agreed(policy) if hot else data)
    yield make("v1", "ServiceAccount", name, origin, namespace=namespace, automountServiceAccountToken=False)
    yield from router_models.claim(policy)
    yield make(
        "v1",
        "ConfigMap",
        config,
        origin,
        namespace=namespace,
        wave=Wave.ROUTER,
        **(data if hot else data | {"immutable": True}),
    )
    yield from _candidate_config(policy)
    yield make(
        "v1",
        "Service",
        router.headless.name if headless else router.grpc.name,
        origin,
        namespace=namespace,
        labels=selector(name),
        spec=service_spec(selector(name), [service_port("grpc", router.grpc.port, "grpc", "grpc")])
        | ({"clusterIP": "None"} if headless else {}),
    )
    yield make(
        "v1",
        "Service",
        router.http.name,
        origin,
        namespace=namespace,
        labels=selector(name),
        spec=service_spec(selector(name), [service_port("http", router.http.port, "http", "http")]),
    )
    spec = deployment_spec(
        name,
        router.replicas,
        stock_router.pod(policy, config)
        if isinstance(router.implementation, ir.SemanticRouter)
        else _pod(policy, config, keys=keys, starts_after=starts_after, gateway=gateway),
        # A reload does not change the limit of a message.
        annotations={"vsr.dev/max-message": str(router.max_message)} if hot else None,
        strategy=router_models.rollout(policy),
    )
    # The expected digest; the runtime's metrics show the served one.
    digests = {"vsr.dev/config-sha256": digest(files)} | (
        {"vsr.dev/candidate-sha256": digest(policy.candidate.router.files)} if policy.candidate else {}
    )
    yield rollout.owner(router, origin, spec, digests)
    yield from rollout.analysis(policy)
    if isinstance(router.implementation, ir.SemanticRouter):
        yield from stock_router.volume(policy)


def by_helm(policy: ir.Policy, objects: Sequence[Object]) -> Component:
    """Return the component that leaves the stock router to its own chart.

    Args:
        policy: The policy.
        objects: The objects of the base. Those that the chart installs are deleted: Helm refuses to take them over.
    """
    kinds = (False, True) if stock_router.chart_has_headless(policy) else (False,)
    installed = {
        item.path for headless in kinds for item in _router(policy, headless=headless, keys=True, starts_after=0)
    }
    return stock_router.by_helm([item for item in objects if item.path in installed])


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 if the router's files are too large for a ConfigMap, VSR311 for what the stock router's chart ignores."""
    yield from stock_router.check(policy)
    yield from rollout.check(policy)
    hint = "Use fewer categories or fewer sentences in signals; each takes 2 KiB."
    written = [("the router's files have", policy.router.files, policy.router.span)]
    if policy.candidate is not None and policy.router.candidate is not None:
        written.append(("the candidate's files have", policy.candidate.router.files, policy.router.candidate.span))
    for words, files, span in written:
        size = sum(len(base64.b64encode(data)) for data in files.values())
        if size > MAX_CONFIG_MAP:
            message = f"{words} {size} bytes, but a ConfigMap can hold at most {MAX_CONFIG_MAP}"
            yield Diagnostic("VSR312", message, span, hint)


def _candidate_name(policy: ir.Policy) -> str | None:
    """Return the name of the candidate's ConfigMap, which is found as the router's own; None without a candidate."""
    other = policy.candidate
    if other is None:
        return None
    hot = policy.router.reload == "hot"
    return hashed_name(
        f"{policy.router.grpc.name}-candidate", agreed(policy) if hot else _config_data(other.router.files)
    )


def _candidate_config(policy: ir.Policy) -> Iterator[Object]:
    name, other, router = _candidate_name(policy), policy.candidate, policy.router
    if name is None or other is None or router.candidate is None:
        return
    data = _config_data(other.router.files)
    span, namespace = router.candidate.span, router.grpc.namespace
    yield make(
        "v1",
        "ConfigMap",
        name,
        span,
        namespace=namespace,
        wave=Wave.ROUTER,
        **(data if router.reload == "hot" else data | {"immutable": True}),
    )


def _config_data(files: Mapping[str, bytes]) -> dict[str, Body]:
    """Return the ConfigMap's data: text files as text, classifier heads as binaryData."""
    text = {name: data.decode() for name, data in files.items() if name.endswith(".yaml")}
    binary = {name: base64.b64encode(data).decode() for name, data in files.items() if name not in text}
    return {"data": text} | ({"binaryData": binary} if binary else {})


def agreed(policy: ir.Policy) -> Body:
    """Return what other objects must agree on with the router: what it can select, and what its filter lets it do."""
    models = [
        {
            "model": model.name,
            "provider": model.provider_model,
            "endpoints": [endpoint.object_name for endpoint, _ in model.endpoints],
        }
        for model in policy.models
    ]
    return {"models": models, "filter": ext_proc_filter(policy, policy.router.grpc.name)}


def digest(files: Mapping[str, bytes]) -> str:
    """Return the sha256 of files by name, in whatever order they are."""
    total = hashlib.sha256()
    for name, data in sorted(files.items()):
        total.update(f"{name}\0{len(data)}\0".encode() + data)
    return total.hexdigest()


def _pod(policy: ir.Policy, config: str, *, keys: bool, starts_after: int, gateway: str) -> Body:
    router, sources, other = policy.router, _key_volume(policy), _candidate_name(policy)
    mounted = [(volume, CREDENTIALS_PATH) for volume in sources if keys] + [
        *((volume, CLIENTS_PATH) for volume in _client_volume(policy)),
        *((volume, DETECTORS_PATH) for volume in classifier_servers.volume(policy)),
    ]
    mounted += [(volume, STORE_PATH) for volume in _store_volume(policy)]
    if other is not None:
        mounted.append(({"name": "candidate", "configMap": {"name": other, "defaultMode": 0o444}}, candidate.PATH))
    process = container(
        "router",
        router.image,
        args=[
            "serve",
            f"--config={CONFIG_PATH}/config.yaml",
            f"--address=0.0.0.0:{router.grpc.port}",
            f"--http-address=0.0.0.0:{router.http.port}",
            f"--shutdown-delay={SHUTDOWN_DELAY}",
            *(["--keys-at-gateway"] if sources and not keys else []),
            *([f"--gateway={gateway}"] if gateway else []),
            *(candidate.flags(router.candidate, f"{candidate.PATH}/config.yaml") if router.candidate else []),
        ],
        env=[{"name": "VSR_CACHE_DIR", "value": CACHE_PATH}, *router_models.environment(policy, CACHE_PATH)],
        ports=[container_port("grpc", router.grpc.port), container_port("http", router.http.port)],
        startupProbe=http_probe("/readyz", "http", 2, 300 if policy.fetched else 60)
        | ({"initialDelaySeconds": starts_after} if starts_after else {}),
        readinessProbe=http_probe("/readyz", "http", 5, 2),
        livenessProbe=http_probe("/healthz", "http", 10, 3),
        resources=resources(*router_models.needs(policy), router.resources),
        securityContext=HARDENED,
        volumeMounts=[
            {"name": "config", "mountPath": CONFIG_PATH, "readOnly": True},
            {"name": "cache", "mountPath": CACHE_PATH},
            *router_models.mount(policy),
            *({"name": volume["name"], "mountPath": path, "readOnly": True} for volume, path in mounted),
        ],
    )
    name = router.grpc.name
    pod: Body = {
        "automountServiceAccountToken": False,
        "containers": [process],
        "securityContext": UNPRIVILEGED,
        "serviceAccount": name,
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": STOP_SECONDS + (FOLLOWING if follows_responses(policy) else 0),
        "topologySpreadConstraints": spread(selector(name)),
        "volumes": [
            {"name": "config", "configMap": {"name": config, "defaultMode": 0o444}},
            {"name": "cache", "emptyDir": {"sizeLimit": "256Mi"}},
            *router_models.volume(policy),
            *(volume for volume, _ in mounted),
        ],
    } | ({"initContainers": fetchers} if (fetchers := router_models.fetcher(policy)) else {})
    return place(pod, router.placement, selector(name))


def _client_volume(policy: ir.Policy) -> list[Body]:
    """Return the volume with the keys of clients; empty if the router authenticates nobody."""
    sources = key_sources(policy)
    return [{"name": "clients", "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []


def _store_volume(policy: ir.Policy) -> list[Body]:
    """Return the volume with the login and the CA of the store of cached responses; empty if it has neither."""
    sources = file_sources(policy)
    return [{"name": "cache-store", "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []


def _key_volume(policy: ir.Policy) -> list[Body]:
    """Return the volume that projects API keys from their Secrets; empty if no model needs a key."""
    endpoints = {model.keyed.name: model.keyed for model in policy.models if model.keyed}
    sources = [
        {
            "secret": {
                "name": endpoint.api_key.secret,
                "items": [{"key": endpoint.api_key.key, "path": endpoint.credential}],
                "optional": False,
            }
        }
        for _, endpoint in sorted(endpoints.items())
        if endpoint.api_key is not None
    ]
    # Readable by the pod's group, which owns the volume.
    return [{"name": "credentials", "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []
