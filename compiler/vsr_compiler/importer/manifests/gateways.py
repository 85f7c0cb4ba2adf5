"""The Gateway and the target that manifests point to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.manifests.objects import Index, Resource
from vsr_compiler.importer.manifests.routes import Rule
from vsr_compiler.importer.values import Fields, child, text

CONTROLLERS = (
    ("istio.io/", "istio"),
    ("gateway.envoyproxy.io/", "envoy-gateway"),
    ("agentgateway.dev/", "agentgateway"),
)
"""Controllers of GatewayClasses, and the target; sources: the constants of each project."""
DEFAULT_LISTENER = {"name": "http", "port": 80}
MAX_LISTENERS = 16
KSERVE_GATEWAY = {"name": "kserve-ingress-gateway", "namespace": "kserve"}
"""The Gateway to which KServe attaches its routes, unless its configuration names another."""
CLASSES = {"istio": "istio", "eg": "envoy-gateway", "envoy-gateway": "envoy-gateway", "agentgateway": "agentgateway"}
"""Names of GatewayClasses that the projects install or document."""


def write_gateway(index: Index, found: Sequence[Rule], job: Job) -> Resource | None:
    """Write the section ``gateway``. Return the Gateway, if the files have it."""
    parent = next(iter(_parents(found)), None)
    if parent is None and index.of("Gateway"):
        first = index.of("Gateway")[0]
        parent = (first.namespace, first.name, first.span)
    if parent is None:
        return None
    namespace, name, span = parent
    section = job.draft.mapping("gateway")
    section.update({"name": name, "namespace": namespace})
    others = [item for item in dict.fromkeys((a, b) for a, b, _ in _parents(found)) if item != (namespace, name)]
    if others:
        names = ", ".join(f"`{a}/{b}`" for a, b in others[:4])
        hint = "A policy has one Gateway for each environment: import the others to policies of their own."
        job.losses.add("VSR557", f"routes attach to other Gateways as well: {names}", span, hint)
    gateway = index.get("Gateway", namespace, name)
    if gateway is not None and (listeners := _listeners(gateway, job)):
        section["listeners"] = listeners
    return gateway


def _parents(found: Sequence[Rule]) -> list[tuple[str, str, Span]]:
    """Return the namespace and name of each Gateway that routes attach to."""
    parents: list[tuple[str, str, Span]] = []
    for rule in found:
        for node in rule.route.spec.items("parentRefs"):
            fields = Fields.of(node, "parentRef", node.span)
            if fields.text("kind") in {"", "Gateway"} and fields.text("name"):
                parents.append((fields.text("namespace") or rule.route.namespace, fields.text("name"), node.span))
    return parents


def _listeners(gateway: Resource, job: Job) -> list[dict[str, Any]]:
    """Return the listeners; none if the default, plain HTTP on port 80, is the same."""
    found: list[dict[str, Any]] = []
    for node in gateway.spec.items("listeners"):
        fields = Fields.of(node, "listener", node.span)
        protocol, port = fields.text("protocol"), fields.integer("port")
        name = fields.text("name")
        if protocol not in {"HTTP", "HTTPS"} or port is None or not name or not 0 < port < 65536:  # noqa: PLR2004 - ports
            job.losses.group("VSR557", "listeners that are not carried over", name or protocol, node.span)
            continue
        entry: dict[str, Any] = {"name": name, "port": port}
        if host := fields.text("hostname"):
            entry["hostnames"] = [host]
        if protocol == "HTTPS":
            reference = next(iter(fields.fields("tls").items("certificateRefs")), None)
            secret, namespace = text(child(reference, "name")), text(child(reference, "namespace"))
            if not secret:
                job.losses.group("VSR557", "listeners that are not carried over", name, node.span)
                continue
            own = namespace in {"", gateway.namespace}
            entry["tls"] = {"secret": secret if own else {"name": secret, "namespace": namespace}}
        found.append(entry)
    return [] if found == [DEFAULT_LISTENER] else found[:MAX_LISTENERS]


def target_of(gateway: Resource | None, index: Index) -> str:
    """Return the target of a Gateway's class; empty if it is not known."""
    name = gateway.spec.text("gatewayClassName") if gateway is not None else ""
    cls = index.get("GatewayClass", "default", name)
    controller = cls.spec.text("controllerName") if cls is not None else ""
    found = next((target for start, target in CONTROLLERS if controller.startswith(start)), CLASSES.get(name, ""))
    if index.of("AIGatewayRoute") and found in {"", "envoy-gateway"}:
        return "ai-gateway"
    if not found and (index.of("AgentgatewayBackend") or index.of("AgentgatewayModel")):
        return "agentgateway"
    return found


def write_target(gateway: Resource | None, index: Index, job: Job, span: Span) -> None:
    """Write the environment: the target of the Gateway's class, with pools, or attached to the routes of KServe."""
    if job.options.target or "environments" in job.draft.sections:
        return
    own = target_of(gateway, index)
    endpoints = job.draft.mapping("endpoints").values()
    if any("route" in body for body in endpoints):
        environment: dict[str, Any] = {"target": "attach", "to": "kserve"}
        if gateway is None:
            for key, value in KSERVE_GATEWAY.items():
                job.draft.mapping("gateway").setdefault(key, value)
        if own in {"envoy-gateway", "ai-gateway", "agentgateway"}:
            environment["gateway"] = {"controller": own.replace("ai-gateway", "envoy-gateway")}
        why = "KServe writes the routes to the models"
    else:
        pooled = any("pool" in body for body in endpoints)
        target = {"istio": "gie", "": "gie", "envoy-gateway": "ai-gateway"}.get(own, own) if pooled else own
        if not target:
            return
        environment = {"target": target}
        why = "of the Gateway's class" if own else "of the pools"
    job.draft.sections["environments"] = {"dev": environment}
    hint = "Name another one with `--target`, or under `environments`."
    job.losses.add("VSR559", f"the target is `{environment['target']}`: {why}", span, hint)
