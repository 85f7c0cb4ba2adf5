"""Links endpoints: the places where models run, and the Services that reach them."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from vsr_compiler import ir
from vsr_compiler.link.environments import check_image
from vsr_compiler.link.placement import (
    PICKER_VARIABLES,
    SERVER_VARIABLES,
    check_device,
    link_autoscaling,
    link_placement,
    link_resources,
)
from vsr_compiler.link.providers import provider_api, provider_auth, provider_key, server_key
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema

SERVICE_PORT = 80
POOL_PORT = 8000
"""The port of vLLM."""
HTTPS_PORT = 443
COMPILER_FLAGS = ("--served-model-name", "--model", "--port", "--host", "--lora-modules", "--enable-lora")
"""Flags that the compiler sets."""
MAX_PORT = 65535
HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
"""A full host name. An IP address is not one, because certificates are checked by name."""
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[a-zA-Z0-9_.-]+)*", re.ASCII)


def link_endpoints(scope: Scope, policy: schema.PolicySpec) -> dict[str, ir.Endpoint]:
    """Return all endpoints by name, sorted."""
    return {
        name: replace(_endpoint(scope, policy, name, spec), region=spec.region)
        for name, spec in sorted(policy.endpoints.items())
    }


def _endpoint(scope: Scope, policy: schema.PolicySpec, name: str, spec: schema.EndpointSpec) -> ir.Endpoint:
    span = scope.span("endpoints", name, key=True)
    home = policy.gateway.namespace
    pool = _pool(scope, name, spec)
    if spec.service is not None:
        service = _service(spec.service, home)
        if not 1 <= service.port <= MAX_PORT:
            scope.report("VSR104", "expected a port between 1 and 65535", ("endpoints", name, "service"))
        key = server_key(spec.service.api_key) if isinstance(spec.service, schema.ServiceSpec) else None
        return ir.Endpoint(name, service, ir.ExistingService(), span, pool, key)
    own = ir.object_name(name)
    if spec.pods is not None:
        labels = tuple(sorted(spec.pods.selector.items()))
        service = ir.ServiceRef(own, spec.pods.namespace or home, SERVICE_PORT)
        key = server_key(spec.pods.api_key)
        return ir.Endpoint(name, service, ir.ExistingPods(labels, spec.pods.port), span, pool, key)
    if spec.external is not None:
        return _external(scope, policy, name, spec.external)
    if spec.pool is not None and spec.pool.existing is not None:
        existing = spec.pool
        service = ir.ServiceRef(spec.pool.existing, existing.namespace or home, existing.port or POOL_PORT)
        return ir.Endpoint(name, service, ir.ExistingPool(existing.port), span)
    if spec.route is not None:
        return ir.Endpoint(name, ir.ServiceRef(own, home, SERVICE_PORT), ir.ForeignRoute(spec.route), span)
    vllm = spec.vllm or schema.VllmSpec()
    _check_args(scope, name, vllm)
    service = ir.ServiceRef(own, vllm.namespace or home, SERVICE_PORT)
    return ir.Endpoint(name, service, _server(scope, policy, name, vllm), span, pool, server_key(vllm.api_key))


def _service(spec: schema.ServiceSpec | str, home: str) -> ir.ServiceRef:
    """Return a Service from its mapping or from ``name[.namespace][:port]``."""
    if isinstance(spec, schema.ServiceSpec):
        return ir.ServiceRef(spec.name, spec.namespace or home, spec.port)
    address, _, port = spec.partition(":")
    name, _, namespace = address.partition(".")
    return ir.ServiceRef(name, namespace or home, int(port or SERVICE_PORT))


def _external(scope: Scope, policy: schema.PolicySpec, name: str, spec: schema.ExternalSpec) -> ir.Endpoint:
    span, own = scope.span("endpoints", name, key=True), ("endpoints", name, "external")
    place = (*own, "url")
    url = urlsplit(spec.url)
    host, _, port = url.netloc.lower().partition(":")
    path = url.path.rstrip("/") or ir.API_PATH
    if not HOST.fullmatch(host):
        scope.report("VSR104", "expected a full host name, such as api.example.com", place)
    if not 1 <= int(port or HTTPS_PORT) <= MAX_PORT:
        scope.report("VSR104", "expected a port between 1 and 65535", place)
    if not PATH.fullmatch(path):
        scope.report("VSR104", "expected a plain path, such as /v1", place)
    provider = ir.Provider(
        host,
        int(port or HTTPS_PORT),
        path,
        spec.client_headers == "keep",
        provider_api(scope, spec, url.path.rstrip("/"), url.query, own),
        provider_auth(scope, spec, own),
    )
    service = ir.ServiceRef(ir.object_name(name), policy.gateway.namespace, provider.port)
    return ir.Endpoint(name, service, provider, span, api_key=provider_key(scope, spec, own))


def _pool(scope: Scope, name: str, spec: schema.EndpointSpec) -> ir.Pool | None:
    if spec.pool is None or spec.pool.existing is not None:
        return None
    path = ("endpoints", name, "pool")
    if spec.service is not None or spec.external is not None or spec.route is not None:
        hint = "Use `pods` instead, or remove the pool."
        scope.report("VSR213", "`pool` is only possible for `vllm` and `pods`", path, hint, key=True)
    written, own = spec.pool.picker, (*path, "picker")
    if written.image is not None:
        check_image(scope, written.image, (*own, "image"))
    picker = ir.Picker(
        tuple(sorted(written.plugins.items())),
        written.replicas,
        link_placement(scope, written, own, PICKER_VARIABLES),
        written.image,
        link_resources(scope, written.resources, (*own, "resources")),
    )
    return ir.Pool(picker, spec.pool.failure_mode, spec.pool.disaggregation, scope.span(*path, key=True))


def _check_args(scope: Scope, name: str, vllm: schema.VllmSpec) -> None:
    for index, arg in enumerate(vllm.args):
        flag = arg.split("=")[0].split(" ")[0].replace("_", "-")
        if flag in COMPILER_FLAGS:
            path = ("endpoints", name, "vllm", "args", index)
            hint = "Remove it. The compiler derives it from models and routes."
            scope.report("VSR206", f"`{flag}` is set by the compiler", path, hint)


def _server(scope: Scope, policy: schema.PolicySpec, name: str, vllm: schema.VllmSpec) -> ir.VllmServer:
    users = {alias: model for alias, model in sorted(policy.models.items()) if name in names(model)}
    path = ("endpoints", name, "vllm")
    check_device(scope, vllm.device, vllm.image, (*path, "device"), vllm.gpus)
    if vllm.image is not None:
        check_image(scope, vllm.image, (*path, "image"))
    checkpoints = sorted({model.checkpoint for model in users.values() if model.checkpoint is not None})
    loras = tuple((lora, adapter.path) for model in users.values() for lora, adapter in sorted(model.loras.items()))
    return ir.VllmServer(
        next(iter(checkpoints), ""),
        vllm.gpus,
        vllm.replicas,
        vllm.storage,
        vllm.token,
        tuple(vllm.args),
        loras,
        vllm.image,
        link_resources(scope, vllm.resources, (*path, "resources")),
        arg_spans=tuple(scope.span("endpoints", name, "vllm", "args", index) for index in range(len(vllm.args))),
        placement=link_placement(scope, vllm, path, SERVER_VARIABLES),
        device=vllm.device,
        claim=None if vllm.weights is None else vllm.weights.pvc,
        autoscaling=link_autoscaling(scope, vllm.autoscaling, (*path, "autoscaling"), vllm.replicas),
    )


def names(model: schema.ModelSpec) -> list[str]:
    """Return the endpoint names of a model, in whichever form they are written."""
    return [model.endpoints] if isinstance(model.endpoints, str) else list(model.endpoints)


def check_servers(scope: Scope, policy: schema.PolicySpec) -> None:
    """Check that each vLLM server is used, by models of one checkpoint. Every reference must be resolved."""
    for name, spec in sorted(policy.endpoints.items()):
        if spec.vllm is None:
            continue
        path = ("endpoints", name)
        users = {alias: model for alias, model in sorted(policy.models.items()) if name in names(model)}
        if not users:
            hint = "Add it to the `endpoints` of a model, or remove it."
            message = f"no model uses endpoint `{name}`, so it has no checkpoint"
            scope.report("VSR207", message, path, hint, key=True)
        for alias, model in users.items():
            if model.checkpoint is None:
                hint = "Set `checkpoint` to the Hugging Face repository of the weights."
                message = f"model `{alias}` runs on the vLLM server `{name}` and has no `checkpoint`"
                scope.report("VSR208", message, ("models", alias), hint, key=True)
        if len({model.checkpoint for model in users.values()} - {None}) > 1:
            hint = "A vLLM server loads one checkpoint. Use one endpoint for each."
            scope.report("VSR209", f"models with different checkpoints share endpoint `{name}`", path, hint, key=True)
