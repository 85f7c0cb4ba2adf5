"""Rules for the authentication of clients."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report VSR294 for models that are open to everybody while the router fails."""
    identity = policy.identity
    if identity is None or not policy.router.fails_open:
        return
    hint = "Use `onFailure: deny`."
    if not isinstance(identity.source, ir.Jwt):
        message = "`onFailure: default-model` serves everybody while the router fails: the router authenticates clients"
        yield Diagnostic("VSR294", message, policy.router.span, hint)
    elif policy.default.allow:
        message = (
            f"`onFailure: default-model` opens model `{policy.default.name}` to all clients while the router fails: "
            "the router decides who may use it"
        )
        yield Diagnostic("VSR294", message, policy.router.span, f"{hint[:-1]}, or a default model without `allow`.")
