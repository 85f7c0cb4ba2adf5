"""What a target leaves out or refuses whatever its release: said at the line that asked for it."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Diagnostic
from compiler.link import ir


def pools_ignored(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311 for each pool, on a target that reaches models by Services."""
    for endpoint in policy.endpoints:
        if endpoint.pool is not None:
            message = f"the pool of `{endpoint.name}` is ignored by the target istio, which reaches it by a Service"
            hint = "Use the target gie or llm-d for it to be pooled."
            yield Diagnostic("VSR311", message, endpoint.pool.span, hint)
