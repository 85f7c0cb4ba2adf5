"""Models, guards and limits of agentgateway's Kubernetes objects."""

from __future__ import annotations

from typing import Any

from vsr_compiler.importer.agentgateway.guards import write_guards
from vsr_compiler.importer.agentgateway.virtual import Virtual, write_virtual
from vsr_compiler.importer.draft import label
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.manifests.objects import Index, Resource
from vsr_compiler.importer.providers import NeededSecrets, address, provider_endpoint
from vsr_compiler.importer.values import Fields
from vsr_compiler.syntax.nodes import Mapping, Scalar


def write_resources(  # noqa: C901 - one branch for each kind of object
    index: Index, job: Job, needed: NeededSecrets
) -> None:
    """Write the models of AgentgatewayModels, and the guards of all objects of agentgateway."""
    names: dict[str, str] = {}
    virtual: list[Virtual] = []
    for item in index.of("AgentgatewayModel"):
        wanted = item.spec.fields("match").text("model") or item.name
        routing = item.spec.fields("virtualModel")
        if routing.node.entries:
            virtual.append(Virtual(wanted, routing, item.span))
        elif "*" in wanted:
            hint = "Write a model for each name that clients use."
            message = f"`{wanted}` covers every name of its form, which a policy cannot say; it is left out"
            job.losses.add("VSR544", message, item.span, hint)
        elif name := _model(item, wanted, job, needed):
            names[item.name] = names[wanted] = name
        policies = item.spec.fields("policies")
        write_guards(policies.take("promptGuard"), item.name, job, everywhere=False)
    if default := write_virtual(virtual, names, job):
        job.draft.sections.setdefault("default", {"model": default})
    for item in index.of("AgentgatewayBackend"):
        guard = item.spec.fields("policies").fields("ai").take("promptGuard")
        write_guards(guard, item.name, job, everywhere=False)
    for item in index.of("AgentgatewayPolicy"):
        guard = item.spec.fields("backend").fields("ai").take("promptGuard")
        write_guards(guard, item.name, job, everywhere=False)
        traffic = item.spec.fields("traffic")
        for key in ("jwtAuthentication", "apiKeyAuthentication", "basicAuthentication", "extAuth", "authorization"):
            if traffic.has(key):
                hint = "Keep the policy beside the output, or write `identity`."
                message = f"{item.title} authenticates or restricts clients (`{key}`), which is not carried over"
                job.losses.add("VSR547", message, traffic.at(key), hint)
        if traffic.has("rateLimit"):
            hint = "Write it under `limits`."
            job.losses.add("VSR548", f"{item.title} limits requests", traffic.at("rateLimit"), hint)


def _model(item: Resource, wanted: str, job: Job, needed: NeededSecrets) -> str:
    """Write an AgentgatewayModel. Return the name of the model; empty if no target reaches it."""
    kind = item.spec.text("provider")
    reference = item.spec.fields("policies").fields("auth").fields("secretRef")
    own: dict[str, Any] = {}
    if secret := reference.text("name"):
        needed.names.setdefault(secret, item.span)
        own["apiKey"] = {"secret": secret, "key": reference.text("key") or "Authorization"}
    body: dict[str, Any] | None
    if base := item.spec.text("baseURL"):
        where = address(base, item.name)
        if where.problem:
            job.losses.add("VSR552", f"{item.title}: {where.problem}", item.spec.value_at("baseURL"))
        body = {"service": {**where.service, **own}} if where.service else {"external": {"url": where.url, **own}}
    elif kind.lower() == "custom":
        target = item.spec.fields("custom").fields("backendRef")
        port, name = target.integer("port") or 80, target.text("name")
        if target.text("kind") == "InferencePool":
            body = {"pool": {"existing": name, "namespace": item.namespace}}
        else:
            body = {"service": {"name": name or "replace-me", "namespace": item.namespace, "port": port}}
    else:
        details = item.spec.take(kind.lower())
        entry = details if isinstance(details, Mapping) else Mapping(item.span)
        provider = Fields(Mapping(item.span, {kind: (item.span, entry)}))
        body = provider_endpoint(provider, item.name, item.span, own, job)
    if body is None:
        return ""
    name = job.names.new("model", wanted, item.span, key="routed")
    endpoint = job.names.new("endpoint", label(item.name) or "model", item.span)
    job.draft.mapping("endpoints")[endpoint] = body
    job.draft.mapping("models")[name] = {"endpoints": endpoint}
    if isinstance(model := item.spec.take("model"), Scalar) and model.text not in {"", wanted}:
        job.draft.mapping("models")[name]["providerModel"] = model.text
    return name
