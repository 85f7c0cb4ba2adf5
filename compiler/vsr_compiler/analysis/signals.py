"""Rules for signals that the runtime cannot evaluate, or that are never true."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.signals import ComplexitySignal, LanguageSignal, RoleSignal
from vsr_schemas.languages import KNOWN

MAX_DIFFERENCE = 2
"""The largest difference between two cosines."""


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report VSR283 to VSR286. ``stock_router`` reports what semantic-router cannot do."""
    ours = isinstance(policy.router.implementation, ir.VsrRuntime)
    for signal in policy.signals:
        match signal.kind:
            case RoleSignal() if ours:
                yield _role(signal)
            case LanguageSignal(codes) if ours:
                yield from _languages(signal, codes)
            case ComplexitySignal() as body:
                yield from _complexity(signal, body)


def _role(signal: ir.Signal) -> Diagnostic:
    message = (
        f"signal `{signal.name}` needs the identity of the client, which the router does not get: the gateway removes "
        "identity headers of clients, and authenticates after the router has decided"
    )
    hint = "Remove it. Use a gateway for each group, or a model name that authorization allows to one group only."
    return Diagnostic("VSR283", message, signal.span, hint)


def _languages(signal: ir.Signal, codes: tuple[str, ...]) -> Iterator[Diagnostic]:
    unknown = [code for code in codes if code not in KNOWN]
    if unknown:
        message = (
            f"the runtime cannot detect {', '.join(f'`{code}`' for code in unknown)}, used by signal `{signal.name}`"
        )
        yield Diagnostic("VSR284", message, signal.span, "Remove it, or use `engine: semantic-router`.")


def _complexity(signal: ir.Signal, body: ComplexitySignal) -> Iterator[Diagnostic]:
    both = sorted(set(body.hard) & set(body.easy))
    if both:
        message = f"signal `{signal.name}` lists {both[0]!r:.80} under both `hard` and `easy`"
        yield Diagnostic("VSR285", message, signal.span, "Remove it from one of them.")
    if body.level != "medium" and body.threshold >= MAX_DIFFERENCE:
        message = f"signal `{signal.name}` is never true: two cosines cannot differ by more than {body.threshold:g}"
        yield Diagnostic("VSR286", message, signal.span, "Lower the threshold. The default is 0.1.")
