"""Rules for response caches."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic

MIN_SIMILARITY = 0.92
"""Lowest similarity without a warning. Questions with different answers come close to it: with the default encoder,
"What time does the store open?" and "… close?" have 0.90, "How do I enable …?" and "… disable …?" 0.88."""
SECOND = 1000


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report caches that cannot work (VSR341), a similarity that mixes questions (VSR342), and an unsafe store."""
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        return  # reported by ``stock_router``
    for route in policy.routes:
        if route.cache is not None:
            yield from _cache(policy, route, route.cache)
    if policy.router.cache is not None:
        yield from _store(policy, policy.router.cache)


def _store(policy: ir.Policy, store: ir.CacheStore) -> Iterator[Diagnostic]:
    """VSR580 for what has no effect, VSR581 for a store whose content others can read."""
    if all(route.cache is None for route in policy.routes):
        message = "no route stores responses, so the store of `router.cache` stays empty"
        yield Diagnostic("VSR580", message, store.span, "Add `cache` to a route, or remove `router.cache`.")
    if store.pods is not None and store.namespace("") is None:
        message = f"`{store.address}` is no Service of the cluster, so `pods` has no effect"
        yield Diagnostic("VSR580", message, store.span, "Use `NAME.NAMESPACE:PORT`, or remove `pods`.")
    if not store.tls:
        message = f"responses go to and from `{store.address}` unencrypted, and so does the password"
        yield Diagnostic("VSR581", message, store.span, "Remove `tls: false`, and set `ca` if the authority is yours.")
    if store.password is None:
        message = f"whoever reaches `{store.address}` can read and change the responses of all clients"
        yield Diagnostic("VSR581", message, store.span, "Add `login: {secret: NAME}`, a Secret with a `password`.")


def _cache(policy: ir.Policy, route: ir.Route, cache: ir.Cache) -> Iterator[Diagnostic]:
    known = ("user",) if policy.identity is None else policy.identity.attributes
    if cache.scope not in {*known, "global"}:
        message = (
            f"the router cannot tell the {cache.scope} of a client, so the cache of route `{route.name}` cannot use it"
        )
        hint = "Use `scope: user`, which separates clients by their credential, or `scope: global`."
        if policy.identity is not None:
            hint = f"Add the {cache.scope} to `identity`, or use `scope: user` or `scope: global`."
        yield Diagnostic("VSR341", message, cache.span, hint)
    if cache.ttl % SECOND or not cache.ttl:
        hint = "Use whole seconds, such as `1h` or `90s`."
        yield Diagnostic(
            "VSR341",
            f"the `ttl` of the cache of route `{route.name}` is {cache.ttl} ms, not a positive number of seconds",
            cache.span,
            hint,
        )
    if not route.models:
        hint = "Remove the cache."
        yield Diagnostic(
            "VSR341", f"route `{route.name}` has a fixed answer, so there is nothing to cache", cache.span, hint
        )
    if cache.similarity == 0:
        hint = f"Remove `similarity` to match equal requests only, or use {MIN_SIMILARITY} or more."
        yield Diagnostic(
            "VSR341",
            f"with `similarity: 0`, any two requests match in the cache of route `{route.name}`",
            cache.span,
            hint,
        )
    elif cache.similarity is not None and cache.similarity < MIN_SIMILARITY:
        message = (
            f"at `similarity: {cache.similarity}`, different questions can match in the cache of route `{route.name}`"
        )
        yield Diagnostic(
            "VSR342", message, cache.span, f"Use {MIN_SIMILARITY} or more, or measure it with your own prompts."
        )
