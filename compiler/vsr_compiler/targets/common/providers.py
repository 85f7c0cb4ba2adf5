"""Providers on targets whose gateway translates nothing: our router adds their keys, queries and headers."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.providers import CLOUDS
from vsr_compiler.releases.hops import Hop
from vsr_compiler.releases.providers import SCHEMAS
from vsr_compiler.targets.common.request_limits import ReleasedHop


def hops(policy: ir.Policy, endpoint: ir.Endpoint) -> Iterator[ReleasedHop]:
    """Yield the provider with the APIs that it serves to requests which nobody translates."""
    del policy
    provider = endpoint.provider
    if provider is None or provider.api.paths is None:
        return
    schema = provider.api.schema
    title = f"`{endpoint.name}`" if schema is None else f"`{endpoint.name}` ({SCHEMAS[schema].title})"
    reason = "the policy lists its `apis`" if provider.api.named else "the provider has no such API"
    instead = "a model of another provider, or the target ai-gateway, which translates some of them"
    yield ReleasedHop(title, Hop("", apis=provider.api.paths, unserved=reason, instead=instead))


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR320 for credentials that have to be signed or exchanged, VSR321 for APIs that have to be translated."""
    for endpoint in policy.endpoints:
        provider = endpoint.provider
        if provider is None:
            continue
        if provider.auth is not None:
            cloud = CLOUDS[type(provider.auth)]
            message = f"only Agent Router gets credentials of `{cloud}`, which `{endpoint.name}` needs"
            yield Diagnostic(
                "VSR320", message, endpoint.span, "Use the target ai-gateway (Agent Router, formerly Envoy AI Gateway)."
            )
        if provider.api.schema is not None and SCHEMAS[provider.api.schema].paths is None:
            title = SCHEMAS[provider.api.schema].title
            message = f"only Agent Router translates requests to {title}, which `{endpoint.name}` needs"
            hint = "Use the target ai-gateway, or an API of the provider that is compatible with OpenAI's."
            yield Diagnostic("VSR321", message, endpoint.span, hint)
