"""Endpoints and models: where a name leads."""

from __future__ import annotations

from compiler.link import ir
from compiler.link.names import object_name
from compiler.link.scope import Scope
from schemas import policy as nouns

VLLM_PORT = 8000
SERVICE_PORT = 80
COMPILER_FLAGS = ("--served-model-name", "--model", "--port", "--host")
"""Flags that the compiler sets from its own symbols."""


def link_endpoints(scope: Scope, policy: nouns.Policy) -> dict[str, ir.Endpoint]:
    """All endpoints by name, sorted."""
    return {name: _endpoint(scope, policy, name, noun) for name, noun in sorted(policy.endpoints.items())}


def _endpoint(scope: Scope, policy: nouns.Policy, name: str, noun: nouns.Endpoint) -> ir.Endpoint:
    span = scope.span("endpoints", name, key=True)
    if noun.service is not None:
        namespace = noun.service.namespace or policy.gateway.namespace
        return ir.Endpoint(name, ir.ServiceRef(noun.service.name, namespace, noun.service.port), None, span)
    vllm = noun.vllm or nouns.Vllm()
    for index, arg in enumerate(vllm.args):
        if arg.split("=")[0].replace("_", "-") in COMPILER_FLAGS:
            path = ("endpoints", name, "vllm", "args", index)
            hint = "Remove it; the compiler keeps it in step with the routes."
            scope.report("VSR206", f"`{arg.split('=')[0]}` is set by the compiler", path, hint)
    service = ir.ServiceRef(object_name(name), vllm.namespace or policy.gateway.namespace, SERVICE_PORT)
    checkpoints = {model.checkpoint for model in policy.models.values() if name in model.endpoints} - {None}
    server = ir.VllmServer(
        min((each for each in checkpoints if each), default=""),
        vllm.gpus,
        vllm.replicas,
        vllm.storage,
        vllm.token,
        tuple(vllm.args),
    )
    return ir.Endpoint(name, service, server, span)


def check_servers(scope: Scope, policy: nouns.Policy) -> None:
    """A server of ours is used, and by models of one checkpoint. To be asked once every reference resolves."""
    for name, noun in sorted(policy.endpoints.items()):
        if noun.vllm is None:
            continue
        path = ("endpoints", name)
        users = {alias: model for alias, model in sorted(policy.models.items()) if name in model.endpoints}
        if not users:
            hint = "Name it in a model's `endpoints`, or remove it."
            message = f"no model uses the endpoint `{name}`, so there is nothing to serve"
            scope.report("VSR207", message, path, hint, key=True)
        for alias, model in users.items():
            if model.checkpoint is None:
                hint = "Add `checkpoint:` with the Hugging Face repository of the weights."
                message = f"`{alias}` runs on a server of ours and has no checkpoint"
                scope.report("VSR208", message, ("models", alias), hint, key=True)
        if len({model.checkpoint for model in users.values()} - {None}) > 1:
            hint = "A vLLM server loads one checkpoint; give each its own endpoint."
            scope.report("VSR209", f"models of several checkpoints share the endpoint `{name}`", path, hint, key=True)


def link_models(scope: Scope, policy: nouns.Policy, endpoints: dict[str, ir.Endpoint]) -> dict[str, ir.Model]:
    """All models by name, sorted."""
    models: dict[str, ir.Model] = {}
    for name, noun in sorted(policy.models.items()):
        path = ("models", name, "endpoints")
        weights = noun.endpoints if isinstance(noun.endpoints, dict) else dict.fromkeys(noun.endpoints, 1)
        if not any(weights.values()):
            scope.report("VSR210", f"all endpoints of `{name}` have weight 0", path, "Give one of them a weight.")
        if isinstance(noun.endpoints, list) and len(weights) < len(noun.endpoints):
            scope.report(
                "VSR205", f"an endpoint of `{name}` stands there twice", path, "Keep it once, or give weights."
            )
        resolved = []
        for index, (endpoint, weight) in enumerate(weights.items()):
            step: str | int = endpoint if isinstance(noun.endpoints, dict) else index
            found = scope.resolve(endpoints, endpoint, "endpoint", (*path, step), key=isinstance(step, str))
            if found is not None:
                resolved.append((found, weight))
        resolved.sort(key=lambda pair: pair[0].name)
        models[name] = ir.Model(name, tuple(resolved), noun.context, scope.span("models", name, key=True))
    return models
