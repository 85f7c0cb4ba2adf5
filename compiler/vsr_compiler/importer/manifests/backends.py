"""Backends of routes as endpoints of a policy."""

from __future__ import annotations

from typing import Any

from vsr_compiler.importer.family import Job
from vsr_compiler.importer.manifests.objects import Index, Resource
from vsr_compiler.importer.manifests.routes import Target
from vsr_compiler.importer.manifests.servers import PORT, pool_port, service_ports
from vsr_compiler.importer.providers import NeededSecrets, address, credential, provider_endpoint
from vsr_compiler.importer.values import Fields, child, integer, text
from vsr_compiler.syntax.nodes import Mapping, Scalar

SCHEMAS = {
    "OpenAI": "openai",
    "AzureOpenAI": "azure-openai",
    "Anthropic": "anthropic",
    "AWSBedrock": "aws-bedrock",
    "AWSAnthropic": "aws-anthropic",
    "GCPVertexAI": "gcp-vertex-ai",
    "GCPAnthropic": "gcp-anthropic",
    "Cohere": "cohere",
}
"""`AIServiceBackend.spec.schema.name`, and the schema of the policy."""


def endpoint(  # noqa: PLR0911 - one return for each kind of backend
    target: Target, index: Index, job: Job, needed: NeededSecrets
) -> dict[str, Any] | None:
    """Return the endpoint of a backend; None if it leads nowhere that a policy can name, which is reported."""
    found = index.get(target.kind, target.namespace, target.name)
    if target.kind == "Service":
        ports = service_ports(found) if found is not None else []
        return {"service": _service(target.name, target.namespace, target.port or next(iter(ports), 80))}
    if target.kind == "InferencePool":
        port = pool_port(found) if found is not None else target.port or PORT
        return {"pool": {"existing": target.name, "namespace": target.namespace, "port": port}}
    if found is None:
        _missing(target, job)
        return None
    if target.kind == "AIServiceBackend":
        return _ai_service(found, index, job, needed)
    if target.kind == "Backend":
        return _backend(found, job, None)
    if target.kind == "AgentgatewayBackend":
        return _agentgateway(found, job, needed)
    job.losses.add("VSR556", f"a route leads to {found.title}, which is no backend of a policy", target.span)
    return None


def _missing(target: Target, job: Job) -> None:
    message = f"a route leads to {target.kind} `{target.namespace}/{target.name}`, which no file has"
    job.losses.add("VSR556", message, target.span, "Correct the name or the namespace, or pass the file with it.")


def _service(name: str, namespace: str, port: int) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "port": port}


def _backend(item: Resource, job: Job, external: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the endpoint of an Envoy Gateway `Backend`: a host name, or an address."""
    first = next(iter(item.spec.items("endpoints")), None)
    host = text(child(first, "fqdn", "hostname")) or text(child(first, "ip", "address"))
    port = integer(child(first, "fqdn", "port")) or integer(child(first, "ip", "port")) or 443
    scheme = "https" if port == 443 or item.spec.has("tls") else "http"  # noqa: PLR2004 - the port of https
    where = address(f"{scheme}://{host}:{port}", item.name)
    if where.problem:
        job.losses.add("VSR552", f"{item.title}: {where.problem}", item.span, "Change the endpoint in the policy.")
    if where.service is not None:
        where.service.setdefault("namespace", item.namespace)
        return {"service": where.service}
    return {"external": {**(external or {}), "url": where.url}}


def _ai_service(item: Resource, index: Index, job: Job, needed: NeededSecrets) -> dict[str, Any] | None:
    """Return the endpoint of an `AIServiceBackend`, with the schema and the credentials of its security policy."""
    reference = item.spec.fields("backendRef")
    schema_node = item.spec.fields("schema")
    schema = SCHEMAS.get(schema_node.text("name"), "openai")
    kind, namespace = reference.text("kind") or "Service", reference.text("namespace") or item.namespace
    credentials = _credentials(item, index, needed)
    if kind != "Backend":
        target = Target(kind, namespace, reference.text("name"), reference.integer("port") or 0, 1, reference.span)
        found = endpoint(target, index, job, needed)
        if found is not None and "service" in found and "apiKey" in credentials:
            found["service"]["apiKey"] = credentials["apiKey"]
        return found
    backend = index.get("Backend", namespace, reference.text("name"))
    if backend is None:
        _missing(Target("Backend", namespace, reference.text("name"), 0, 1, reference.value_at("name")), job)
        return None
    found = _backend(backend, job, {"schema": schema, **credentials})
    if found is not None and "external" in found:
        external = found["external"]
        prefix = schema_node.text("prefix") or schema_node.text("version")
        if schema == "openai" and prefix:
            external["url"] = f"{external['url']}/{prefix.strip('/')}"
        elif schema in {"openai", "anthropic"} and not external["url"].rstrip("/").endswith("v1"):
            external["url"] += "/v1"
    elif found is not None and "apiKey" in credentials:
        found["service"]["apiKey"] = credentials["apiKey"]
    return found


def _credentials(item: Resource, index: Index, needed: NeededSecrets) -> dict[str, Any]:
    """Return `apiKey` or `auth` of the security policy that targets a backend."""
    for policy in index.of("BackendSecurityPolicy"):
        targets = [text(child(node, "name")) for node in policy.spec.items("targetRefs")]
        if policy.namespace != item.namespace or item.name not in targets:
            continue
        for key in ("apiKey", "anthropicAPIKey", "azureAPIKey"):
            if name := policy.spec.fields(key).fields("secretRef").text("name"):
                needed.names.setdefault(name, policy.span)
                return {"apiKey": {"secret": name, "key": "apiKey"}}
        aws, gcp = policy.spec.fields("awsCredentials"), policy.spec.fields("gcpCredentials")
        if region := aws.text("region"):
            secret = aws.fields("credentialsFile").fields("secretRef").text("name")
            return {"auth": {"aws": {"region": region, **({"secret": secret} if secret else {})}}}
        if project := gcp.text("projectName"):
            secret = gcp.fields("credentialsFile").fields("secretRef").text("name")
            body = {"project": project, "region": gcp.text("region") or "global"}
            return {"auth": {"gcp": {**body, **({"secret": secret} if secret else {})}}}
        azure = policy.spec.fields("azureCredentials")
        if client := azure.text("clientID"):
            secret = azure.fields("clientSecretRef").text("name")
            ids = {"clientId": client, "tenantId": azure.text("tenantID"), "secret": secret}
            return {"auth": {"azure": ids}} if all(ids.values()) else {}
    return {}


def _agentgateway(item: Resource, job: Job, needed: NeededSecrets) -> dict[str, Any] | None:
    """Return the endpoint of an `AgentgatewayBackend`: a provider, or a host."""
    static = item.spec.fields("static")
    if host := static.text("host"):
        where = address(f"http://{host}:{static.integer('port') or 80}", item.name)
        return {"service": where.service} if where.service is not None else {"external": {"url": where.url}}
    ai = item.spec.fields("ai")
    provider = ai.fields("provider")
    if not provider.node.entries:
        provider = _first_provider(ai, item, job)
    key = item.spec.fields("policies").fields("auth")
    secret = key.fields("secretRef").text("name")
    own: dict[str, Any] = {}
    if secret:
        needed.names.setdefault(secret, item.span)
        own["apiKey"] = {"secret": secret, "key": key.fields("secretRef").text("key") or "Authorization"}
    elif isinstance(value := key.take("key"), Scalar):
        own["apiKey"] = credential(value, f"{item.name}-key", job.losses, needed)
    return provider_endpoint(provider, item.name, item.span, own, job)


def _first_provider(ai: Fields, item: Resource, job: Job) -> Fields:
    """Return the first provider of priority groups; the others are reported."""
    names = []
    first: Fields | None = None
    for group in ai.items("groups"):
        for node in Fields.of(group, "group", group.span).items("providers"):
            fields = Fields.of(node, "provider", node.span)
            names.append(fields.text("name"))
            first = first or fields
    if len(names) > 1:
        hint = "Name the further models in `fallback` or `split` of a route."
        job.losses.add(
            "VSR543", f"{item.title} has {len(names)} providers, of which only the first is used", item.span, hint
        )
    return first or Fields(Mapping(item.span))
