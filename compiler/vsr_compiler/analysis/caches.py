"""Kept answers: whose they can be, and which requests count as the same."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic

ALIKE = 0.92
"""Questions with different answers come as near to each other as this: "What time does the store open?" and "… close?"
are at 0.90 for the default encoder, "How do I enable …?" and "… disable …?" at 0.88."""
SECOND = 1000


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR341 for a cache that cannot be, VSR342 for one that takes different questions for the same."""
    if policy.router.stock:
        return
    for route in policy.routes:
        if route.cache is not None:
            yield from _cache(route, route.cache)


def _cache(route: ir.Route, cache: ir.Cache) -> Iterator[Diagnostic]:
    if cache.scope not in {"user", "global"}:
        message = f"nobody knows the {cache.scope} of a client when `{route.name}` looks for a kept answer"
        hint = "Use `scope: user`, which goes by the client's credential, or `scope: global`."
        yield Diagnostic("VSR341", message, cache.span, hint)
    if cache.ttl % SECOND or not cache.ttl:
        hint = "Give it in whole seconds, such as `1h` or `90s`."
        yield Diagnostic("VSR341", f"an answer of `{route.name}` cannot be kept for {cache.ttl} ms", cache.span, hint)
    if not route.models:
        hint = "Take the cache out: a fixed answer costs nothing."
        yield Diagnostic("VSR341", f"`{route.name}` asks no model, so there is nothing to keep", cache.span, hint)
    if cache.similarity == 0:
        hint = "Leave `similarity` out for the same requests only, or give one from 0.92 up."
        yield Diagnostic("VSR341", f"`{route.name}` would take any two requests for the same", cache.span, hint)
    elif cache.similarity is not None and cache.similarity < ALIKE:
        message = f"questions with different answers can be more alike than the {cache.similarity} of `{route.name}`"
        yield Diagnostic("VSR342", message, cache.span, f"Use {ALIKE} or more, or try it with prompts of your own.")
