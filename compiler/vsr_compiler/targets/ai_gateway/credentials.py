"""Credentials that Envoy AI Gateway sends to backends: static keys, and those of AWS, GCP and Azure.

Each backend has a policy of its own. Before another attempt, AI Gateway takes back the headers of the attempt before
(`internal/headermutator`), so no backend gets the credentials of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.ir.providers import AwsAuth, AzureAuth, CloudAuth, GcpAuth
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.ai_gateway_schemas import STATIC_KEYS
from vsr_compiler.targets.ai_gateway.kinds import AI_GROUP
from vsr_compiler.targets.common.pools import POOL_GROUP


def security_policy(endpoint: ir.Endpoint, namespace: str, api: str) -> Iterator[Object]:
    """Yield the BackendSecurityPolicy of an endpoint that needs credentials."""
    auth = endpoint.provider.auth if endpoint.provider else None
    if endpoint.api_key is not None:
        kind, field = STATIC_KEYS[endpoint.api_key.header, endpoint.api_key.prefix]
        spec: Body = {"type": kind, field: {"secretRef": _secret(endpoint.api_key.secret)}}
    elif auth is not None:
        spec = _cloud(auth)
    else:
        return
    group, referent = (POOL_GROUP, "InferencePool") if endpoint.pool is not None else (AI_GROUP, "AIServiceBackend")
    spec["targetRefs"] = [{"group": group, "kind": referent, "name": endpoint.object_name}]
    name = endpoint.object_name
    yield make(api, "BackendSecurityPolicy", name, endpoint.span, namespace=namespace, spec=spec)


def _cloud(auth: CloudAuth) -> Body:
    match auth:
        case AwsAuth(region, secret, profile):
            file = {"secretRef": _secret(secret), "profile": profile or "default"} if secret else None
            return {
                "type": "AWSCredentials",
                "awsCredentials": {"region": region} | ({"credentialsFile": file} if file else {}),
            }
        case GcpAuth(project, region, secret):
            file = {"secretRef": _secret(secret)} if secret else None
            return {
                "type": "GCPCredentials",
                "gcpCredentials": {"projectName": project, "region": region}
                | ({"credentialsFile": file} if file else {}),
            }
        case AzureAuth(client, tenant, secret):
            return {
                "type": "AzureCredentials",
                "azureCredentials": {"clientID": client, "tenantID": tenant, "clientSecretRef": _secret(secret)},
            }
    assert_never(auth)


def _secret(name: str) -> Body:
    return {"group": "", "kind": "Secret", "name": name}
