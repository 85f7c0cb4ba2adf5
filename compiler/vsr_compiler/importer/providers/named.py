"""Providers by agentgateway's names of them, as endpoints."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.providers.addresses import address
from vsr_compiler.importer.providers.facts import AGENTGATEWAY, PROVIDERS, TRANSLATED
from vsr_compiler.importer.values import Fields

Body = dict[str, Any]


def provider_endpoint(provider: Fields, name: str, span: Span, own: dict[str, Any], job: Job) -> dict[str, Any] | None:
    """Return the endpoint of a provider by agentgateway's name of it.

    Args:
        provider: A mapping with one key that is the name of a provider, and perhaps ``host`` and ``port``.
        name: A name for messages and placeholders.
        span: The place.
        own: ``apiKey``, if there is one.
        job: The import.
    """
    kinds = [key for key in provider.node.entries if key.lower() in AGENTGATEWAY]
    kind = AGENTGATEWAY[kinds[0].lower()] if kinds else ""
    facts = PROVIDERS.get(kind)
    if facts is None or facts.kind == "none":
        job.losses.add("VSR542", f"`{name}` names no provider that a policy reaches; it is left out", span)
        return None
    details = provider.fields(kinds[0])
    host, port = provider.text("host"), provider.integer("port")
    own = {key: value for key, value in own.items() if value}
    if host:
        scheme = "https" if port in {None, 443} else "http"
        where = address(f"{scheme}://{host}:{port or 443}", name)
        if where.service is not None:
            return {"service": {**where.service, **own}}
        return {"external": {"url": f"{where.url}/v1", "schema": "openai", **own}}
    if (cloud := _of_cloud(facts.kind, details, name, own)) is not None:
        return cloud
    where = address(facts.url or facts.default, name)
    if where.problem:
        job.losses.add("VSR552", f"`{name}`: {where.problem}", span, "Change the endpoint in the policy.")
    if where.service is not None:
        return {"service": {**where.service, **own}}
    schema = "anthropic" if facts.kind == "anthropic" else "openai"
    return {"external": {"url": where.url, "schema": schema, **own}}


def _of_cloud(kind: str, details: Fields, name: str, own: Body) -> Body | None:
    """Return a model of a cloud, whose URL has a region or an account; None for other providers."""
    if kind == "bedrock":
        region = details.text("region") or "us-east-1"
        url = f"https://bedrock-runtime.{region}.amazonaws.com"
        return {"external": {"url": url, "schema": TRANSLATED["bedrock"], "auth": {"aws": {"region": region}}}}
    if kind == "vertex":
        region = details.text("region") or "global"
        gcp = {"project": details.text("projectId") or "replace-me", "region": region}
        prefix = "" if region == "global" else f"{region}-"
        url = f"https://{prefix}aiplatform.googleapis.com"
        return {"external": {"url": url, "schema": TRANSLATED["vertex"], "auth": {"gcp": gcp}}}
    if kind == "azure":
        where = address(
            f"https://{details.text('endpoint') or details.text('host') or name + '.openai.azure.com'}", name
        )
        deployment = details.text("deploymentName") or details.text("model") or name
        version = details.text("apiVersion") or "2024-10-21"
        url = f"{where.url}/openai/deployments/{deployment}?api-version={version}"
        return {"external": {"url": url, "schema": "azure-openai", **own}}
    return None
