"""Providers whose API agentgateway speaks itself: it translates requests, signs them, and sets host and path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.providers import AwsAuth, GcpAuth
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.hops import Hop
from vsr_compiler.releases.providers import SCHEMAS
from vsr_compiler.targets.common import providers
from vsr_compiler.targets.common.request_limits import ReleasedHop
from vsr_schemas.apis import CHAT, MESSAGES, RESPONSES, ApiPath
from vsr_schemas.policy.v1alpha1 import SchemaName

PROJECT = "agentgateway"
SERVICE_ACCOUNT = "service_account.json"
"""The key of a Secret with the key of a service account of Google Cloud, as on the target ai-gateway."""
ROUTE_TYPES: Mapping[ApiPath, str] = MappingProxyType(
    {CHAT: "Completions", MESSAGES: "Messages", RESPONSES: "Responses"}
)
"""By path: without them it takes every request for a chat completion (`crates/agentgateway/src/llm/policy/mod.rs`)."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A provider of agentgateway.

    Attributes:
        field: The field of a backend's `ai.provider`.
        apis: What it makes requests of the provider from.
        source: Where its project says so, at v1.4.1.
    """

    field: Literal["bedrock", "vertexai"]
    apis: frozenset[ApiPath]
    source: str


_SOURCE = "crates/agentgateway/src/llm/mod.rs: CHAT_TRANSLATIONS, supported_chat_formats"
TRANSLATIONS: Mapping[SchemaName, Translation] = MappingProxyType(
    {
        "aws-bedrock": Translation("bedrock", frozenset((CHAT, MESSAGES, RESPONSES)), _SOURCE),
        "aws-anthropic": Translation("bedrock", frozenset((CHAT, MESSAGES, RESPONSES)), _SOURCE),
        "gcp-vertex-ai": Translation("vertexai", frozenset((CHAT, MESSAGES, RESPONSES)), _SOURCE),
        "gcp-anthropic": Translation("vertexai", frozenset((CHAT, MESSAGES)), _SOURCE),
    }
)
"""By the word of `schema`. Requests to other APIs pass unchanged, or cannot be made."""


def is_translated(endpoint: ir.Endpoint) -> bool:
    """Return whether the gateway speaks the provider's API itself."""
    return endpoint.provider is not None and endpoint.provider.api.schema in TRANSLATIONS


def spec_of(endpoint: ir.Endpoint) -> Body:
    """Return the spec of the backend of such a provider."""
    provider = endpoint.provider
    if provider is None or provider.api.schema is None:
        raise ValueError(f"{endpoint.name} is no provider with an API")
    translation = TRANSLATIONS[provider.api.schema]
    own: Body = {}
    auth: Body = {}
    match provider.auth:
        case AwsAuth(region, secret):
            own, auth = {"region": region}, {"aws": _secret(secret)}
        case GcpAuth(project, region, secret):
            reference = _secret(secret, SERVICE_ACCOUNT)
            own, auth = {"projectId": project, "region": region}, {"gcp": {"type": "AccessToken"} | reference}
    routes = {path: ROUTE_TYPES[path] for path in ROUTE_TYPES if path in translation.apis}
    return {
        "ai": {"provider": {translation.field: own}},
        "policies": {"ai": {"routes": routes}} | ({"auth": auth} if auth else {}),
    }


def host_of(endpoint: ir.Endpoint) -> str:
    """Return the host that the gateway calls: it knows the region only; empty if that is not known here."""
    match endpoint.provider.auth if endpoint.provider else None:
        case AwsAuth(region):
            return f"bedrock-runtime.{region}.amazonaws.com"
        case GcpAuth(_, "global"):
            return "aiplatform.googleapis.com"
        case GcpAuth(_, region):
            return f"{region}-aiplatform.googleapis.com"
    return ""


def _secret(name: str | None, key: str = "") -> Body:
    """Return the reference; empty if the gateway's pods have an identity of their own."""
    if name is None:
        return {}
    return {"secretRef": {"name": name} | ({"key": key} if key else {})}


def hops(policy: ir.Policy, endpoint: ir.Endpoint) -> Iterator[ReleasedHop]:
    """Yield what is before a provider, with the APIs that it serves."""
    schema = endpoint.provider.api.schema if endpoint.provider else None
    if schema is None or schema not in TRANSLATIONS:
        yield from providers.hops(policy, endpoint)
        return
    title = f"{PROJECT} {policy.versions[PROJECT]} before {SCHEMAS[schema].title}"
    reason, instead = "it does not translate them", "a model of another provider"
    yield ReleasedHop(title, Hop("", apis=TRANSLATIONS[schema].apis, unserved=reason, instead=instead))


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR320 for credentials that agentgateway does not take, VSR321 for APIs that it does not speak."""
    for endpoint in policy.endpoints:
        provider = endpoint.provider
        if provider is None:
            continue
        schema, auth = provider.api.schema, provider.auth
        if schema is not None and schema not in TRANSLATIONS and SCHEMAS[schema].paths is None:
            message = (
                f"agentgateway does not translate requests to {SCHEMAS[schema].title}, which `{endpoint.name}` needs"
            )
            hint = "Use the target ai-gateway, or an API of the provider that is compatible with OpenAI's."
            yield Diagnostic("VSR321", message, endpoint.span, hint)
        elif auth is not None and not is_translated(endpoint):
            message = f"agentgateway gets no credentials of a cloud for the API of `{endpoint.name}`"
            yield Diagnostic("VSR320", message, endpoint.span, "Use an API key, or the target ai-gateway.")
        elif is_translated(endpoint) and (host := host_of(endpoint)) and provider.host != host:
            message = f"agentgateway calls {host} for `{endpoint.name}`, and not {provider.host}"
            yield Diagnostic("VSR321", message, endpoint.span, f"Set `url: https://{host}`, or another region.")
        elif isinstance(auth, AwsAuth) and auth.profile is not None:
            message = f"agentgateway reads no profiles of AWS, but `{endpoint.name}` names `{auth.profile}`"
            hint = "Remove `profile`, and store `accessKey` and `secretKey` in the Secret."
            yield Diagnostic("VSR320", message, endpoint.span, hint)


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315 for the keys of Secrets, which are other ones than on Envoy AI Gateway."""
    for endpoint in policy.endpoints:
        auth = endpoint.provider.auth if endpoint.provider else None
        if isinstance(auth, AwsAuth) and auth.secret is not None:
            message = f"the Secret `{auth.secret}` of `{endpoint.name}` must have the keys `accessKey` and `secretKey`"
            hint = "agentgateway reads no credentials file; a session has `sessionToken` as well."
            yield Diagnostic("VSR315", message, endpoint.span, hint)
