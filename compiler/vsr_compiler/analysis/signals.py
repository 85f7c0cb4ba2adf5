"""Rules for signals that the runtime cannot evaluate, or that are never true."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.signals import ClientSignal, ComplexitySignal, KeywordSignal, LanguageSignal
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.patterns import compile_patterns
from vsr_runtime.decision.signals.base import TextMatcher
from vsr_runtime.decision.signals.words import compile_words
from vsr_schemas.harnesses import HARNESSES
from vsr_schemas.languages import KNOWN

MAX_DIFFERENCE = 2
"""The largest difference between two cosines."""

_NAMED = 3
"""Programs that a message names."""
_HARNESS_TEXTS = tuple(
    (harness.title, text)
    for harness in HARNESSES.values()
    for text in (*(f"<{tag}>" for tag in (*harness.asks, *harness.context)), *harness.lines)
)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report VSR283 to VSR287. ``stock_router`` reports what semantic-router cannot do."""
    ours = isinstance(policy.router.implementation, ir.VsrRuntime)
    for signal in policy.signals:
        if isinstance(signal.kind, KeywordSignal) and (not ours or signal.of == "request"):
            yield from _harness_words(signal, signal.kind, ours=ours)
        match signal.kind:
            case ClientSignal(tests) if ours:
                yield from _client(policy, signal, tests)
            case LanguageSignal(codes) if ours:
                yield from _languages(signal, codes)
            case ComplexitySignal() as body:
                yield from _complexity(signal, body)


def _client(policy: ir.Policy, signal: ir.Signal, tests: tuple[ir.ClientTest, ...]) -> Iterator[Diagnostic]:
    """Report what nothing tells the router: without `identity` the gateway only removes what clients claim to be."""
    known = () if policy.identity is None else policy.identity.attributes
    for test in tests:
        if test.attribute not in known:
            message = (
                f"signal `{signal.name}` needs the {test.attribute} of the client, which the router does not get: the "
                "gateway removes identity headers of clients, and nothing sets them afterwards"
            )
            hint = "Add `identity` to the policy, or remove the signal."
            if policy.identity is not None:
                listed = ", ".join(f"`{name}`" for name in known)
                hint = f"Add the {test.attribute} to `identity`, which has {listed}, or remove the signal."
            yield Diagnostic("VSR283", message, signal.span, hint)


def _languages(signal: ir.Signal, codes: tuple[str, ...]) -> Iterator[Diagnostic]:
    unknown = [code for code in codes if code not in KNOWN]
    if unknown:
        message = (
            f"the runtime cannot detect {', '.join(f'`{code}`' for code in unknown)}, used by signal `{signal.name}`"
        )
        yield Diagnostic("VSR284", message, signal.span, "Remove it, or use `engine: semantic-router`.")


def _harness_words(signal: ir.Signal, body: KeywordSignal, *, ours: bool) -> Iterator[Diagnostic]:
    """Report the first keyword that occurs in what agents and front ends put around a person's words."""
    for word in body.words:
        try:
            matcher = _matcher(body, word)
        except ValueError:
            continue  # reported elsewhere
        places = {name: text for name, text in _HARNESS_TEXTS if any(matcher.occurrences(text, never))}
        if not places:
            continue
        names = ", ".join(list(places)[:_NAMED]) + (" and others" if len(places) > _NAMED else "")
        message = (
            f"keyword {word!r:.80} of signal `{signal.name}` occurs in text that {names} put around the words of a "
            f"person, such as `{next(iter(places.values()))}`"
        )
        hint = (
            "Remove `of: request`, so that only the ask is read."
            if ours
            else "Use a longer phrase, or `engine: vsr-runtime`."
        )
        yield Diagnostic("VSR287", message, signal.span, hint)
        return


def _matcher(body: KeywordSignal, word: str) -> TextMatcher:
    if body.regex:
        return compile_patterns([word], case_sensitive=body.case_sensitive)
    return compile_words([word], case_sensitive=body.case_sensitive)


def _complexity(signal: ir.Signal, body: ComplexitySignal) -> Iterator[Diagnostic]:
    both = sorted(set(body.hard) & set(body.easy))
    if both:
        message = f"signal `{signal.name}` lists {both[0]!r:.80} under both `hard` and `easy`"
        yield Diagnostic("VSR285", message, signal.span, "Remove it from one of them.")
    if body.level != "medium" and body.threshold >= MAX_DIFFERENCE:
        message = f"signal `{signal.name}` is never true: two cosines cannot differ by more than {body.threshold:g}"
        yield Diagnostic("VSR286", message, signal.span, "Lower the threshold. The default is 0.1.")
