"""Numbers that must fit together."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR245: times. VSR243 and VSR340: where a router that fails may lead."""
    router = policy.router
    if router.deadline >= policy.gateway.timeout:
        hint = "Make `gateway.timeout` longer: a decision is only the beginning of a request."
        message = "the decision may take as long as the whole request"
        yield Diagnostic("VSR245", message, router.span, hint)
    if router.fails_open:
        yield from _failing(policy)


def _failing(policy: ir.Policy) -> Iterator[Diagnostic]:
    """To the default, unread: past every guard, and under the name that the client wrote."""
    router, default = policy.router, policy.default
    if policy.guards:
        names = " and ".join(f"`{guard.name}`" for guard in policy.guards)
        message = f"`onFailure: {router.on_failure}` lets requests past {names} when the router fails"
        hint = "Use `onFailure: deny`: a guard that holds only while its router is well holds nobody back."
        yield Diagnostic("VSR340", message, router.span, hint)
    if default.base is not None:
        hint = "Use `onFailure: deny`, or a default that is a server's own model."
        message = f"`{default.name}` is an adapter, and `{router.auto_models[0]}` would be its server's own model"
        yield Diagnostic("VSR243", message, router.span, hint)
    else:
        for endpoint, _ in default.endpoints:
            if endpoint.server is None:
                hint = "Use `onFailure: deny`, or a default that runs on a server of the compiler's."
                message = f"nobody knows whether `{endpoint.name}` serves `{router.auto_models[0]}`"
                yield Diagnostic("VSR243", message, router.span, hint)
