"""The endpoint of one deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from vsr_compiler.importer.draft import label
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.litellm.deployments import Deployment
from vsr_compiler.importer.providers import TRANSLATED, NeededSecrets, address, credential
from vsr_compiler.importer.providers.credentials import variable
from vsr_compiler.syntax.nodes import Scalar

APIS = {
    "chat": "",
    "completion": "completions",
    "embedding": "embeddings",
    "image_generation": "images",
    "audio_transcription": "audio",
    "audio_speech": "audio",
    "moderation": "moderations",
    "moderations": "moderations",
    "rerank": "rerank",
    "responses": "responses",
}
"""``model_info.mode``, and the API of the policy; empty for all of the provider's schema."""
API_VERSION = "2024-10-21"
"""The version of Azure's API where the source has none: the last one that Azure calls stable (unconfirmed)."""
AWS_SECRET, GCP_SECRET = "aws-credentials", "vertex-credentials"
_AWS_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as plain data, and the name of the model there.

    Attributes:
        body: The entry of ``endpoints``.
        model: The name of the model at the provider.
        name: The name of the entry that is wanted.
        in_cluster: Whether it is a Service, so that a model may have several.
    """

    body: dict[str, Any]
    model: str
    name: str
    in_cluster: bool


def endpoint(  # noqa: C901, PLR0912 - one branch for each kind of provider
    item: Deployment, job: Job, needed: NeededSecrets
) -> Endpoint | None:
    """Return the endpoint of a deployment; None if no API of a policy reaches it, which is reported."""
    facts = item.facts
    if facts.kind == "none":
        hint = "Serve the model by an API of OpenAI's form, or leave it out."
        message = f"`{item.group}` is at {facts.title} (`{item.provider}`), whose API no target reaches; it is left out"
        job.losses.add("VSR542", message, item.span, hint)
        return None
    name = label(item.group) or item.provider
    if facts.kind == "bedrock":
        return _bedrock(item, job, needed, name)
    if facts.kind == "vertex":
        return _vertex(item, job, needed, name)
    base_node = item.params.take("api_base") or item.params.take("base_url")
    base = base_node.text if isinstance(base_node, Scalar) else ""
    if "?" in base:
        job.losses.secrets.add(base_node)
    for key in ("extra_headers", "headers"):
        if item.params.has(key):
            job.losses.secrets.add(item.params.node.entries[key][1])
    secret = credential(item.params.take("api_key"), f"{name}-key", job.losses, needed)
    if facts.kind == "azure":
        return _azure(item, job, name, base, secret)
    if secret is None and facts.url and not base and facts.variable:
        secret = {"secret": label(facts.variable), "key": "apiKey"}
        needed.names.setdefault(secret["secret"], item.span)
    where = address(base or facts.url or facts.default, f"{name}")
    if where.problem:
        hint = "Change the endpoint in the policy." if where.url else f"Create the Service, or name it in `{name}`."
        message = f"`{item.group}`: {where.problem}"
        job.losses.add("VSR552", message, base_node.span if base_node is not None else item.span, hint)
    if where.service is not None:
        service = {**where.service, **({"apiKey": secret} if secret else {})}
        return Endpoint({"service": service}, item.model, name, in_cluster=True)
    external: dict[str, Any] = {"url": where.url}
    schema = "anthropic" if facts.kind == "anthropic" else "openai"
    external["schema"] = schema
    if schema == "openai" and (api := APIS.get(item.info.text("mode"), "")):
        external["apis"] = [api]
        if api == "rerank":
            del external["schema"]
    if secret:
        external["apiKey"] = secret
    return Endpoint({"external": external}, item.model, name, in_cluster=False)


def _azure(item: Deployment, job: Job, name: str, base: str, secret: dict[str, str] | None) -> Endpoint:
    """Return an Azure deployment: its name is in the path, and the version of the API in the query."""
    where = address(base, f"{name}-azure")
    url = where.url
    if where.service is not None or where.problem:
        job.losses.add(
            "VSR552", f"`{item.group}`: {where.problem or 'no host of Azure'}", item.span, "Change the endpoint."
        )
        url = url if where.service is None else f"https://{name}.openai.azure.com"
        url = url.removesuffix("/v1")
    host = urlsplit(url)
    version = item.params.text("api_version")
    version = version if version and not variable(version) else API_VERSION
    if version in {"preview", "latest"} or host.path.startswith("/openai/v1"):
        external: dict[str, Any] = {"url": f"https://{host.netloc}/openai/v1", "schema": "openai"}
        if secret:
            external["apiKey"] = {**secret, "header": "api-key", "prefix": ""}
        return Endpoint({"external": external}, item.model, name, in_cluster=False)
    path = host.path if "/openai/deployments/" in host.path else f"{host.path}/openai/deployments/{item.model}"
    external = {"url": f"https://{host.netloc}{path}?api-version={version}", "schema": "azure-openai"}
    if secret:
        external["apiKey"] = secret
    tenant, client = item.params.text("tenant_id"), item.params.text("client_id")
    if not secret and (tenant or client or item.params.has("azure_ad_token")):
        hint = "Write `auth: {azure: {clientId, tenantId, secret}}` with the ids, or use a key."
        job.losses.add("VSR551", f"`{item.group}` uses Microsoft Entra: its ids are not copied", item.span, hint)
        item.params.taken.update({"tenant_id", "client_id", "client_secret", "azure_ad_token"})
    return Endpoint({"external": external}, item.model, name, in_cluster=False)


def _bedrock(item: Deployment, job: Job, needed: NeededSecrets, name: str) -> Endpoint:
    """Return a model of AWS Bedrock. Keys are in a credentials file in a Secret."""
    region = item.params.text("aws_region_name") or item.params.text("aws_region")
    aws: dict[str, Any] = {"region": region}
    if not region or variable(region):
        aws["region"] = "us-east-1"
        hint = "Write the region in `url` and in `auth.aws.region`."
        job.losses.add("VSR552", f"`{item.group}`: the region is not in the file", item.span, hint)
    keys = [node for key in _AWS_KEYS if (node := item.params.take(key)) is not None]
    if keys:
        aws["secret"] = AWS_SECRET
        needed.names.setdefault(AWS_SECRET, keys[0].span)
        for node in keys:
            credential(node, AWS_SECRET, job.losses, NeededSecrets())
        hint = "Put both keys into a credentials file, under the key `credentials` of the Secret `aws-credentials`."
        job.losses.add("VSR551", f"`{item.group}`: keys of AWS are read from a credentials file", keys[0].span, hint)
    model = item.model
    for prefix in ("converse/", "invoke/", "converse_like/"):
        model = model.removeprefix(prefix)
    url = f"https://bedrock-runtime.{aws['region']}.amazonaws.com"
    external = {"url": url, "schema": TRANSLATED["bedrock"], "auth": {"aws": aws}}
    return Endpoint({"external": external}, model, name, in_cluster=False)


def _vertex(item: Deployment, job: Job, needed: NeededSecrets, name: str) -> Endpoint:
    """Return a model of Vertex AI. The service account is in a Secret."""
    project = item.params.text("vertex_project") or item.params.text("vertex_ai_project")
    region = item.params.text("vertex_location") or item.params.text("vertex_ai_location")
    if not project or variable(project) or not region or variable(region):
        hint = "Write `project` and `region` in `auth.gcp`."
        job.losses.add("VSR552", f"`{item.group}`: the project or the region is not in the file", item.span, hint)
    gcp: dict[str, Any] = {
        "project": project if project and not variable(project) else "replace-me",
        "region": region if region and not variable(region) else "global",
    }
    if (node := item.params.take("vertex_credentials")) is not None:
        job.losses.secrets.add(node)
        gcp["secret"] = GCP_SECRET
        needed.names.setdefault(GCP_SECRET, node.span)
    host = "aiplatform.googleapis.com" if gcp["region"] == "global" else f"{gcp['region']}-aiplatform.googleapis.com"
    claude = item.model.startswith("claude")
    external = {
        "url": f"https://{host}",
        "schema": "gcp-anthropic" if claude else TRANSLATED["vertex"],
        "auth": {"gcp": gcp},
    }
    return Endpoint({"external": external}, item.model, name, in_cluster=False)
