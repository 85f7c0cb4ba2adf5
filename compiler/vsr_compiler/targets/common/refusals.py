"""What a target leaves out or refuses whatever its release: said at the line that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic


def pools_ignored(target: str) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """VSR311 for each pool, on a target that reaches models by Services."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """Each pool."""
        for endpoint in policy.endpoints:
            if endpoint.pool is not None:
                message = f"the pool of `{endpoint.name}` is ignored by the target {target}, which takes its Service"
                hint = "Use a target that pools, if it is to be pooled: gie, llm-d or ai-gateway."
                yield Diagnostic("VSR311", message, endpoint.pool.span, hint)

    return check
