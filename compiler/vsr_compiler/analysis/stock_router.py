"""Rules for the router implementation semantic-router: what it cannot do, or does differently."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.analysis import stock_router_release
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.link import guards
from vsr_compiler.releases.semantic_router import STOCK_ROUTER, StockRouter
from vsr_schemas.routerconfig.engine_0_4_0 import PII_TYPES
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES

RUNTIME = "Use `engine: vsr-runtime`, or remove it."
BUILTIN_SPELLING = {kind: word for word, kind in guards.BUILTIN.items()}


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report VSR313 and VSR330 to VSR332 for a policy with ``engine: semantic-router``."""
    implementation = policy.router.implementation
    if not isinstance(implementation, ir.SemanticRouter):
        return
    version = policy.versions["semantic-router"]
    release = STOCK_ROUTER.get(version)
    if release is None:
        hint = f"Use one of: {', '.join(sorted(STOCK_ROUTER))}."
        yield Diagnostic("VSR313", f"semantic-router {version} is not supported", policy.router.span, hint)
        return
    yield from stock_router_release.check(policy, release)
    yield from _router(policy, implementation)
    yield from _credentials(policy)
    yield from _stickiness(policy)
    yield from _names(policy)
    yield from _retries(policy)
    for classifier in policy.classifiers:
        yield from _classifier(classifier, release)
    yield from _categories(policy)
    for signal in policy.signals:
        yield from _signal(signal)
    for guard in policy.guards:
        yield from _guard(guard)
    for route in policy.routes:
        if route.cache is not None:
            message = (
                f"semantic-router separates cached answers of route `{route.name}` by headers that the gateway removes"
            )
            yield Diagnostic("VSR330", message, route.cache.span, RUNTIME)
        if len(route.models) > 1:
            message = f"semantic-router ignores the `split` of route `{route.name}` and always uses its first model"
            hint = "Use one model with several weighted `endpoints`, or `engine: vsr-runtime`."
            yield Diagnostic("VSR330", message, route.span, hint)


def _retries(policy: ir.Policy) -> Iterator[Diagnostic]:
    for route in policy.retrying:
        if route.retry is not None:
            message = f"semantic-router has no `fallback` and no `retry`, which route `{route.name}` uses"
            yield Diagnostic("VSR330", message, route.retry.span, RUNTIME)


def _router(policy: ir.Policy, implementation: ir.SemanticRouter) -> Iterator[Diagnostic]:
    router = policy.router
    if router.overflow == "reject":
        message = "semantic-router does not support `overflow: reject`"
        yield Diagnostic("VSR330", message, router.span, "Remove it, or use `engine: vsr-runtime`.")
    if policy.identity is not None:
        message = "semantic-router does not support `identity`: it refuses no request of nobody known"
        yield Diagnostic("VSR330", message, policy.identity.span, RUNTIME)
    if policy.apis:
        message = "semantic-router does not support `apis`: it serves its own set of paths"
        yield Diagnostic("VSR330", message, router.span, "Remove it, or use `engine: vsr-runtime`.")
    if policy.gateway.cors is not None:
        message = "semantic-router does not support `cors`"
        hint = "Remove it, and use the CORS filter of the gateway, or `engine: vsr-runtime`."
        yield Diagnostic("VSR330", message, policy.gateway.cors.span, hint)
    yield from _reports(router)
    if policy.ask.span is not None:
        message = "semantic-router reads the whole last user turn, so `ask` has no effect"
        yield Diagnostic("VSR330", message, policy.ask.span, RUNTIME)
    if not policy.guards:
        return
    if not implementation.unguarded:
        names = " and ".join(f"`{guard.name}`" for guard in policy.guards)
        guards = f"guard{'s' * (len(policy.guards) > 1)} {names}"
        message = f"on semantic-router, a request that names a model bypasses the {guards}"
        hint = "Use `engine: vsr-runtime`, or accept it with `router.unguarded: explicit-models`."
        yield Diagnostic("VSR332", message, router.span, hint)
    blocking = [guard for guard in policy.guards if isinstance(guard.action, ir.Block)]
    if blocking:
        message = "semantic-router answers blocked requests with HTTP 200 and a fixed message, not 403"
        yield Diagnostic(
            "VSR331", message, blocking[0].span, "Detect them by the response header `x-vsr-fast-response`."
        )


def _reports(router: ir.Router) -> Iterator[Diagnostic]:
    """Check where the decision is reported: the engine has its own headers, and sends gateways no metadata."""
    if router.response_headers != "never":
        message = f"semantic-router does not support `responseHeaders: {router.response_headers}`"
        yield Diagnostic(
            "VSR330", message, router.span, "Remove it. Clients that send `x-vsr-debug: true` get debug headers."
        )
    if router.access_log_metadata:
        message = "semantic-router does not support `accessLogMetadata`: it sends gateways no decisions"
        yield Diagnostic("VSR330", message, router.span, "Remove it, or use `engine: vsr-runtime`.")


def _credentials(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Check what the router sends to endpoints: it knows keys as bearer tokens, and no queries or other APIs."""
    for endpoint in policy.endpoints:
        key, api = endpoint.api_key, endpoint.provider.api if endpoint.provider else ir.ProviderApi()
        if key is not None and (key.query or (key.header, key.prefix) != ("authorization", "Bearer ")):
            message = f"semantic-router cannot send the key of `{endpoint.name}` in {key.words}"
            yield Diagnostic("VSR330", message, endpoint.span, "Use `engine: vsr-runtime`.")
        if api.query:
            message = f"semantic-router cannot send the query `?{api.query}` to `{endpoint.name}`"
            yield Diagnostic("VSR330", message, endpoint.span, "Use `engine: vsr-runtime`.")
        if api.schema not in {None, "openai"}:
            message = f"semantic-router sends OpenAI's APIs, not those of `schema: {api.schema}`, to `{endpoint.name}`"
            yield Diagnostic("VSR330", message, endpoint.span, "Use `engine: vsr-runtime`.")


def _stickiness(policy: ir.Policy) -> Iterator[Diagnostic]:
    if policy.stickiness is not None and policy.stickiness.written and policy.stickiness.default.mode != "none":
        message = "semantic-router decides each request by its last turn, without `stickiness`"
        yield Diagnostic("VSR330", message, policy.stickiness.span, RUNTIME)
    for route in policy.routes:
        if route.stickiness is not None and route.stickiness.mode != "none":
            message = f"semantic-router does not support the `stickiness` of route `{route.name}`"
            yield Diagnostic("VSR330", message, route.span, RUNTIME)


def _names(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Check the names of the decision and signals that each guard becomes: nothing else may have them."""
    taken = {f"guard/{guard.name}" for guard in policy.guards}
    own = {category.name for category in policy.categories if category.name not in MMLU_CATEGORIES}
    named = [(route.name, route.span) for route in policy.routes]
    named += [(signal.name, signal.span) for signal in policy.signals]
    for name, span in named:
        if name in taken:
            message = f"the name `{name}` is reserved for a guard"
            yield Diagnostic("VSR330", message, span, "Choose another name.")
    for signal in policy.signals:
        if isinstance(signal.kind, ir.EmbeddingSignal) and signal.name in own:
            message = f"signal `{signal.name}` has the name of a category, and semantic-router needs distinct names"
            yield Diagnostic("VSR330", message, signal.span, "Choose another name.")


def _classifier(classifier: ir.Classifier, release: StockRouter) -> Iterator[Diagnostic]:
    if classifier.of == "request":
        message = f"semantic-router reads the last user turn only, so `of: request` of `{classifier.name}` fails"
        yield Diagnostic("VSR330", message, classifier.span, RUNTIME)
    if classifier.device != "cpu":
        message = f"classifier `{classifier.name}` needs a GPU, but the image of semantic-router runs on the CPU"
        yield Diagnostic("VSR330", message, classifier.span, "Use `device: cpu`, or `engine: vsr-runtime`.")
    if classifier.server is not None:
        message = f"semantic-router does not support the `server` of classifier `{classifier.name}`"
        yield Diagnostic("VSR330", message, classifier.server.span, RUNTIME)
    if classifier.examples:
        message = f"semantic-router runs no head of `examples`, which classifier `{classifier.name}` is"
        yield Diagnostic("VSR330", message, classifier.span, "Use a checkpoint, or `engine: vsr-runtime`.")
    if classifier.checkpoint is None:
        return
    repo, revision = classifier.checkpoint
    if repo not in release.registry:
        message = f"semantic-router only loads models of its own registry, and `{repo}` is not in it"
        hint = f"Use one of: {', '.join(sorted(release.registry))}."
        yield Diagnostic("VSR330", message, classifier.span, hint)
    else:
        message = f"semantic-router loads `{repo}` at the revision of its registry, not at {revision[:7]}"
        yield Diagnostic("VSR331", message, classifier.span, "Provide the files on a volume: `weights: {pvc: …}`.")


def _categories(policy: ir.Policy) -> Iterator[Diagnostic]:
    known = [category for category in policy.categories if category.name in MMLU_CATEGORIES]
    own = [category for category in policy.categories if category.name not in MMLU_CATEGORIES]
    if known:
        names = ", ".join(f"`{category.name}`" for category in known)
        message = f"semantic-router classifies {names} with its own model and ignores their examples"
        yield Diagnostic("VSR331", message, known[0].span, "Check the thresholds: its model has a scale of its own.")
    if own:
        names = ", ".join(f"`{category.name}`" for category in own)
        message = (
            f"semantic-router finds {names} by similarity to the examples, so a request can have several categories"
        )
        yield Diagnostic(
            "VSR331", message, own[0].span, "Check the order of routes and the threshold, which is a cosine here."
        )
        for assertion in policy.assertions:
            if assertion.statement.category is not None:
                message = f"the proof of `{assertion.words}` assumes one category, but semantic-router can find several"
                yield Diagnostic("VSR331", message, assertion.span, RUNTIME)


def _signal(signal: ir.Signal) -> Iterator[Diagnostic]:
    if signal.of == "request":
        message = f"semantic-router reads the last user turn only, so `of: request` of signal `{signal.name}` fails"
        yield Diagnostic("VSR330", message, signal.span, RUNTIME)
    match signal.kind:
        case ir.ClientSignal():
            message = f"signal `{signal.name}` needs the identity of the client, which the gateway checks after routing"
            yield Diagnostic("VSR330", message, signal.span, "Remove it.")
        case ir.LabelSignal(classifier):
            message = f"semantic-router does not know the labels of `{classifier.name}`, used by signal `{signal.name}`"
            yield Diagnostic("VSR330", message, signal.span, RUNTIME)
        case ir.ModalitySignal(kinds) if "file" in kinds:
            message = f"semantic-router does not recognise files, used by signal `{signal.name}`"
            yield Diagnostic("VSR330", message, signal.span, "Remove `file`, or use `engine: vsr-runtime`.")
        case ir.PiiSignal(types, detector, _):
            yield from _types(types, detector, signal.name, signal.span)


def _guard(guard: ir.Guard) -> Iterator[Diagnostic]:
    unsupported = []
    if isinstance(guard.action, ir.Mask | ir.Flag):
        unsupported.append((f"`action: {guard.action.name}`", "Use `action: block` or `action: route`."))
    if guard.on != "request":
        unsupported.append((f"`on: {guard.on}`", "Use `on: request`."))
    if guard.exempt:
        unsupported.append(("`except`", "Remove it: it evaluates guards before it chooses a model."))
    if guard.builtin:
        unsupported.append((f"`patterns: {BUILTIN_SPELLING[guard.builtin[0]]}`", "List the patterns."))
    if guard.unreadable == "block":
        unsupported.append(
            ("`unreadable: block`", "Use `unreadable: pass`: it does not inspect images, audio and files.")
        )
    if guard.unmask:
        unsupported.append(("`unmask`", "Remove it."))
    if guard.patterns and guard.detector:
        unsupported.append(("`patterns` with `detector`", "Split it into two guards."))
    for what, hint in unsupported:
        yield Diagnostic("VSR330", f"semantic-router does not support {what} (guard `{guard.name}`)", guard.span, hint)
    if guard.types:
        yield from _types(guard.types, guard.detector, guard.name, guard.span)


def _types(types: tuple[str, ...], detector: ir.Classifier | None, name: str, span: ir.Span) -> Iterator[Diagnostic]:
    missing = [kind for kind in types if kind not in PII_TYPES]
    if missing:
        message = f"semantic-router does not detect {', '.join(missing)}, used by `{name}`"
        yield Diagnostic("VSR330", message, span, f"Use one of: {', '.join(PII_TYPES)}.")
    if detector is None:
        message = f"semantic-router detects the types of `{name}` with its model, not with patterns and checksums"
        yield Diagnostic("VSR331", message, span, RUNTIME)
