"""What an object of the output is about, in words of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import Span
from vsr_compiler.pipeline import Compiled


@dataclass(frozen=True, slots=True)
class Subject:
    """A part of the policy.

    Attributes:
        words: The part, such as ``endpoint `llama-8b` ``; empty if the policy is not at hand.
        span: Where it is.
    """

    words: str
    span: Span


def subjects(compiled: Compiled, environment: str) -> Mapping[tuple[str, str, str], Subject]:
    """Return what the objects of an environment, of Argo CD and of Flux are about, by kind, namespace and name."""
    words = dict(_words(compiled.policy))
    objects = (*compiled.objects.values(), *compiled.environments.get(environment, ()))
    return {
        (item.kind, item.namespace, item.name): Subject(words.get(item.origin, ""), item.origin) for item in objects
    }


def _words(policy: ir.Policy) -> Iterator[tuple[Span, str]]:
    yield policy.router.span, "the router"
    yield policy.gateway.span, f"the gateway `{policy.gateway.name}`"
    if policy.gitops is not None:
        yield policy.gitops.span, "`gitops`"
    if policy.identity is not None:
        yield policy.identity.span, "`identity`"
    for environment in policy.environments:
        yield environment.span, f"environment `{environment.name}`"
    for route in policy.routes:
        yield route.span, f"route `{route.name}`"
    for endpoint in policy.endpoints:
        yield endpoint.span, f"endpoint `{endpoint.name}`"
    for model in policy.models:
        yield model.span, f"model `{model.name}`"
