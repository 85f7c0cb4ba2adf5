"""Rules for the contexts of models."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE
from vsr_compiler.analysis.requests import Requests
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """Report VSR263 for a route whose requests none of its models can hold, VSR276 for a fallback with less context."""
    yield from _fallbacks(policy)
    for route in policy.routes:
        contexts = [model.context for model, share in route.models if share]
        known = [context for context in contexts if context is not None]
        if not known or len(known) < len(contexts):
            continue
        matching = requests.of(route.when)
        cells = zip(requests.cells, matching, strict=True)
        shortest = min((cell.low for cell, part in cells if part != FALSE), default=0)
        if shortest >= max(known):
            names = " and ".join(f"`{model.name}`" for model, share in route.models if share)
            message = (
                f"route `{route.name}` matches requests of {shortest} tokens or more, "
                f"but {names} can hold {max(known)} at most"
            )
            hint = "Use a model with a larger `context`, or lower `min` of the signal."
            yield Diagnostic("VSR263", message, route.span, hint)


def _fallbacks(policy: ir.Policy) -> Iterator[Diagnostic]:
    for route in policy.retrying:
        if route.retry is None:
            continue
        contexts = [model.context for model, share in route.models if share and model.context is not None]
        longest = max(contexts, default=0)
        for model in route.retry.models:
            if model.context is not None and model.context < longest:
                message = (
                    f"the fallback `{model.name}` of route `{route.name}` holds {model.context} tokens, but its own "
                    f"model {longest}: longer requests have no fallback"
                )
                yield Diagnostic("VSR276", message, route.retry.span, "Use a model with at least the same `context`.")
