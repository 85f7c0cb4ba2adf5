"""What Envoy AI Gateway cannot do with endpoints and their APIs, and what it serves of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.providers import GcpAuth
from vsr_compiler.releases.ai_gateway_schemas import SECRET_KEY, STATIC_KEYS, TRANSLATIONS
from vsr_compiler.releases.hops import HOPS
from vsr_compiler.releases.providers import SCHEMAS
from vsr_compiler.targets.common.request_limits import ReleasedHop

PROJECT = "envoy-ai-gateway"


def hops(policy: ir.Policy, endpoint: ir.Endpoint) -> Iterator[ReleasedHop]:
    """Yield AI Gateway with the APIs that it serves before an endpoint."""
    release = policy.versions[PROJECT]
    hop = HOPS[PROJECT].get(release)
    if hop is None:
        return
    schema = endpoint.provider.api.schema if endpoint.provider else None
    if endpoint.provider is None or schema is None:
        yield ReleasedHop(f"{PROJECT} {release}", hop)
        return
    known, title = TRANSLATIONS[release], SCHEMAS[schema].title
    apis = hop.apis if schema == "openai" else known.apis[schema]
    if endpoint.provider.api.paths is not None and schema == "openai":
        # It translates messages to chat completions, so a provider needs the latter only.
        apis = frozenset(path for path in apis if path in endpoint.provider.api.paths or path == "/v1/messages")
    yield ReleasedHop(
        f"{PROJECT} {release} before {title}",
        replace(hop, apis=apis, unserved="it does not translate them", instead="a model of another provider"),
    )


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for what AI Gateway cannot do, VSR311 for settings of pools that it ignores."""
    for model in policy.models:
        pools = [endpoint for endpoint, _ in model.endpoints if endpoint.pool or endpoint.existing_pool]
        if pools and len(model.endpoints) > 1 and not any(endpoint.provider for endpoint, _ in model.endpoints):
            message = f"`{model.name}` has several endpoints, but `{pools[0].name}` is a pool and must be the only one"
            hint = "Put all pods into one pool, or define two models and use a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    for endpoint in policy.endpoints:
        if endpoint.pool is not None and endpoint.pool.failure_mode == "FailOpen":
            message = f"`FailOpen` of `{endpoint.name}` is ignored: Agent Router always requires the picker"
            yield Diagnostic("VSR311", message, endpoint.pool.span, "For `FailOpen`, use the target gie or llm-d.")
        if endpoint.api_key is not None:
            yield from _check_key(policy, endpoint, endpoint.api_key)
        if endpoint.provider is not None:
            yield from _check_provider(policy, endpoint, endpoint.provider)


def _check_key(policy: ir.Policy, endpoint: ir.Endpoint, key: ir.EndpointKey) -> Iterator[Diagnostic]:
    release = policy.versions[PROJECT]
    if key.query or (key.header, key.prefix) not in STATIC_KEYS:
        message = f"Agent Router cannot send the key of `{endpoint.name}` in {key.words}"
        ways = ", ".join(f"`{header}: {prefix}…`" for header, prefix in STATIC_KEYS)
        hint = f"It sends {ways}. For others, use the target envoy-gateway or istio."
        yield Diagnostic("VSR320", message, endpoint.span, hint)
    elif endpoint.pool is not None and not TRANSLATIONS[release].pool_keys:
        message = f"Agent Router {release} sends no key to pools, but `{endpoint.name}` needs one"
        hint = "Use envoy-ai-gateway 1.1.0, or remove `pool`."
        yield Diagnostic("VSR320", message, endpoint.span, hint)
    elif key.key != SECRET_KEY:
        message = f"Agent Router reads the key `{SECRET_KEY}` of a Secret, but `{endpoint.name}` has `{key.key}`"
        hint = f"Store the API key in the Secret `{key.secret}` under `{SECRET_KEY}`, and set that here."
        yield Diagnostic("VSR312", message, endpoint.span, hint)


def _check_provider(policy: ir.Policy, endpoint: ir.Endpoint, provider: ir.Provider) -> Iterator[Diagnostic]:
    release = policy.versions[PROJECT]
    known, schema = TRANSLATIONS[release], provider.api.schema
    if schema is not None and schema != "openai" and not known.apis[schema]:
        message = f"envoy-ai-gateway {release} serves no API of the policy before {SCHEMAS[schema].title}"
        yield Diagnostic("VSR321", message, endpoint.span, "Use envoy-ai-gateway 1.1.0.")
    if provider.api.query and schema != "azure-openai":
        message = f"Agent Router sets the path of `{endpoint.name}`, so its query `?{provider.api.query}` is lost"
        hint = "For Azure OpenAI, set `schema: azure-openai`. Otherwise use the target envoy-gateway or istio."
        yield Diagnostic("VSR321", message, endpoint.span, hint)
    if provider.api.query and schema == "azure-openai" and "&" in provider.api.query:
        message = f"Agent Router sends only the `api-version` of the query of `{endpoint.name}`"
        yield Diagnostic("VSR321", message, endpoint.span, "Remove the other parameters.")
    if isinstance(provider.auth, GcpAuth) and provider.auth.secret is None and not known.gcp_identity:
        message = f"envoy-ai-gateway {release} needs the key of a service account for `{endpoint.name}`"
        yield Diagnostic("VSR320", message, endpoint.span, "Set `auth.gcp.secret`, or use envoy-ai-gateway 1.1.0.")
