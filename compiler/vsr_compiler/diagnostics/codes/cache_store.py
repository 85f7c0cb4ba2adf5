"""Codes about the store in which replicas share responses."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR580": Code(
        title="store without effect",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="The policy has `router.cache`, and no route has a `cache`; or `pods` of a store outside the cluster.",
        reason="The store stays empty, or nothing protects its pods.",
        fix="Add `cache` to the routes whose responses may be stored, or remove what has no effect.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", cache: {address: "valkey.cache:6379", login: {secret: valkey}}}
"""),
    ),
    "VSR581": Code(
        title="store that others can read",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="The store of `router.cache` is called without TLS, or without a password.",
        reason="It holds responses to all clients. Whoever reaches it can read them, and change what clients get.",
        fix="Use TLS and a `login`; with `pods`, a NetworkPolicy lets only the router reach the store.",
        example=Example("""\
router: {image: "registry.example/vsr-runtime:0.1.0", cache: {address: "valkey.cache:6379", tls: false}}
"""),
    ),
}
