"""Signals that our runtime cannot tell, or that no request can have."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.signals import ComplexitySignal, LanguageSignal, RoleSignal
from vsr_schemas.languages import KNOWN

FARTHEST = 2
"""Between two cosines."""


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR283 to VSR286. What the stock router cannot do is told by ``engine``."""
    for signal in policy.signals:
        match signal.kind:
            case RoleSignal() if not policy.router.stock:
                yield _role(signal)
            case LanguageSignal(codes) if not policy.router.stock:
                yield from _languages(signal, codes)
            case ComplexitySignal() as body:
                yield from _complexity(signal, body)


def _role(signal: ir.Signal) -> Diagnostic:
    message = (
        f"`{signal.name}` asks who sends a request, and nobody tells the router: the gateway takes identity headers "
        "from clients away, and authenticates after the router was asked"
    )
    hint = "Take it out. Give each group a gateway, or a model name of its own that authorization allows it."
    return Diagnostic("VSR283", message, signal.span, hint)


def _languages(signal: ir.Signal, codes: tuple[str, ...]) -> Iterator[Diagnostic]:
    unknown = [code for code in codes if code not in KNOWN]
    if unknown:
        message = (
            f"the runtime cannot tell {', '.join(f'`{code}`' for code in unknown)}, which `{signal.name}` asks for"
        )
        yield Diagnostic("VSR284", message, signal.span, "Take it out, or use the engine semantic-router.")


def _complexity(signal: ir.Signal, body: ComplexitySignal) -> Iterator[Diagnostic]:
    both = sorted(set(body.hard) & set(body.easy))
    if both:
        message = f"`{signal.name}` has the sentence {both[0]!r:.80} as hard and as easy"
        yield Diagnostic("VSR285", message, signal.span, "Keep it on the side where it belongs.")
    if body.level != "medium" and body.threshold >= FARTHEST:
        message = f"no request is {body.level} by a margin of more than {body.threshold:g}: cosines lie from -1 to 1"
        yield Diagnostic("VSR286", message, signal.span, "Lower the threshold; 0.1 is the default.")
