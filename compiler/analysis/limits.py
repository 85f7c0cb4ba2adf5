"""Numbers that must fit together."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Diagnostic
from compiler.link import ir


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR243: a failing router may send clients to a model that does not know their name for it. VSR245: times."""
    router = policy.router
    if router.deadline >= policy.gateway.timeout:
        hint = "Make `gateway.timeout` longer: a decision is only the beginning of a request."
        message = "the decision may take as long as the whole request"
        yield Diagnostic("VSR245", message, router.span, hint)
    if router.on_failure == "default-model":
        for endpoint, _ in policy.default.endpoints:
            if endpoint.server is None:
                hint = "Use `onFailure: deny`, or a default that runs on a server of the compiler's."
                message = f"nobody knows whether `{endpoint.name}` serves `{router.auto_models[0]}`"
                yield Diagnostic("VSR243", message, router.span, hint)
