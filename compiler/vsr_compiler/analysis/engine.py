"""What the stock router cannot do, or does otherwise than the policy says: each at the line that asked for it."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.link import guards
from vsr_compiler.releases.engines import STOCK_ROUTER, StockRouter
from vsr_schemas.routerconfig.engine_0_4_0 import PII_TYPES
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES

RUNTIME = "Use the engine vsr-runtime, or take it out."
WORDS = {kind: word for word, kind in guards.BUILTIN.items()}


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR313, VSR330 to VSR332 for a policy whose engine is the stock router; nothing for any other."""
    implementation = policy.router.implementation
    if not isinstance(implementation, ir.SemanticRouter):
        return
    wanted = policy.versions["semantic-router"]
    release = STOCK_ROUTER.get(wanted)
    if release is None:
        hint = f"Use one of {', '.join(sorted(STOCK_ROUTER))}; another is added when somebody needs it."
        yield Diagnostic("VSR313", f"there is no table for semantic-router {wanted}", policy.router.span, hint)
        return
    yield from _router(policy, implementation)
    yield from _names(policy)
    for classifier in policy.classifiers:
        yield from _classifier(classifier, release)
    yield from _categories(policy)
    for signal in policy.signals:
        yield from _signal(signal)
    for guard in policy.guards:
        yield from _guard(guard)
    for route in policy.routes:
        if route.cache is not None:
            message = f"the engine would keep the answers of `{route.name}` by headers that the gateway takes off"
            yield Diagnostic("VSR330", message, route.cache.span, RUNTIME)
        if len(route.models) > 1:
            message = f"the engine ignores how `{route.name}` is split and always takes the first model"
            hint = "Divide one model between `endpoints` by weight, which the gateway does; or use vsr-runtime."
            yield Diagnostic("VSR330", message, route.span, hint)


def _router(policy: ir.Policy, implementation: ir.SemanticRouter) -> Iterator[Diagnostic]:
    router = policy.router
    if router.response_headers != "never":
        message = f"the engine tells what it chose by rules of its own, not by `{router.response_headers}`"
        yield Diagnostic("VSR330", message, router.span, "Take it out; it tells more where `x-vsr-debug` is `true`.")
    if not policy.guards:
        return
    if not implementation.unguarded:
        names = " and ".join(f"`{guard.name}`" for guard in policy.guards)
        message = f"a request that names its model passes by {names}: the engine looks at none of it"
        hint = "Use the engine vsr-runtime, or accept it in words: `unguarded: explicit-models` under `router`."
        yield Diagnostic("VSR332", message, router.span, hint)
    blocking = [guard for guard in policy.guards if isinstance(guard.action, ir.Block)]
    if blocking:
        message = "what a guard refuses is answered with 200 and a message, since the engine has no other way"
        yield Diagnostic("VSR331", message, blocking[0].span, "Look for the header x-vsr-fast-response.")


def _names(policy: ir.Policy) -> Iterator[Diagnostic]:
    """A guard becomes a decision and signals of its own, whose names nobody else may bear."""
    taken = {f"guard/{guard.name}" for guard in policy.guards}
    own = {category.name for category in policy.categories if category.name not in MMLU_CATEGORIES}
    named = [(each.name, each.span) for each in policy.routes] + [(each.name, each.span) for each in policy.signals]
    for name, span in named:
        if name in taken:
            message = f"`{name}` is what the engine's config calls a guard"
            yield Diagnostic("VSR330", message, span, "Choose another name.")
    for signal in policy.signals:
        if isinstance(signal.kind, ir.EmbeddingSignal) and signal.name in own:
            message = f"`{signal.name}` is a category as well, and the engine tells both by their sentences"
            yield Diagnostic("VSR330", message, signal.span, "Choose another name.")


def _classifier(classifier: ir.Classifier, release: StockRouter) -> Iterator[Diagnostic]:
    if classifier.device != "cpu":
        message = f"`{classifier.name}` asks for a GPU, and the engine's image of this release runs on the CPU"
        yield Diagnostic("VSR330", message, classifier.span, "Use `device: cpu`, or the engine vsr-runtime.")
    if classifier.checkpoint is None:
        return
    repo, revision = classifier.checkpoint
    if repo not in release.registry:
        message = f"the engine loads the models of its own registry only, and `{repo}` is none of them"
        hint = f"It has {', '.join(sorted(release.registry))}."
        yield Diagnostic("VSR330", message, classifier.span, hint)
    else:
        message = f"the engine takes `{repo}` at the revision of its registry, not at {revision[:7]}"
        yield Diagnostic("VSR331", message, classifier.span, "Bring the files on a volume: `weights: {pvc: …}`.")


def _categories(policy: ir.Policy) -> Iterator[Diagnostic]:
    known = [each for each in policy.categories if each.name in MMLU_CATEGORIES]
    own = [each for each in policy.categories if each.name not in MMLU_CATEGORIES]
    if known:
        names = ", ".join(f"`{each.name}`" for each in known)
        message = f"the engine tells {names} by its own classifier: their examples teach it nothing"
        yield Diagnostic("VSR331", message, known[0].span, "Thresholds are on its own scale; try them out.")
    if own:
        names = ", ".join(f"`{each.name}`" for each in own)
        message = f"the engine tells {names} by likeness to the examples, so that a request may be of several"
        yield Diagnostic("VSR331", message, own[0].span, "Routes are tried in order; the threshold is a cosine.")
        for assertion in policy.assertions:
            if assertion.statement.category is not None:
                message = (
                    f"`{assertion.words}` is proved of requests with one category, and the engine may find several"
                )
                yield Diagnostic("VSR331", message, assertion.span, RUNTIME)


def _signal(signal: ir.Signal) -> Iterator[Diagnostic]:
    match signal.kind:
        case ir.RoleSignal():
            message = f"`{signal.name}` asks who sends a request, which the gateway finds out after the engine is asked"
            yield Diagnostic("VSR330", message, signal.span, "Take it out.")
        case ir.PiiSignal(types, detector, _):
            yield from _types(types, detector, signal.name, signal.span)


def _guard(guard: ir.Guard) -> Iterator[Diagnostic]:
    cannot = []
    if isinstance(guard.action, ir.Mask | ir.Flag):
        cannot.append((f"`action: {guard.action.name}`", "It can `block`, or `route` to another model."))
    if guard.on != "request":
        cannot.append((f"`on: {guard.on}`", "It guards requests."))
    if guard.exempt:
        cannot.append(("`except`", "It guards before it chooses a model."))
    if guard.builtin:
        cannot.append((f"`patterns: {WORDS[guard.builtin[0]]}`", "Write the patterns out."))
    if guard.unreadable == "block":
        cannot.append(("`unreadable: block`", "Images, sound and files pass it: say so, `unreadable: pass`."))
    if guard.unmask:
        cannot.append(("`unmask`", "It guards requests."))
    if guard.patterns and guard.detector:
        cannot.append(("`patterns` beside a `detector`", "Make it two guards."))
    for what, hint in cannot:
        yield Diagnostic("VSR330", f"the engine knows no {what} for the guard `{guard.name}`", guard.span, hint)
    if guard.types:
        yield from _types(guard.types, guard.detector, guard.name, guard.span)


def _types(types: tuple[str, ...], detector: ir.Classifier | None, name: str, span: ir.Span) -> Iterator[Diagnostic]:
    missing = [each for each in types if each not in PII_TYPES]
    if missing:
        message = f"the engine's detector finds no {', '.join(missing)}, which `{name}` asks for"
        yield Diagnostic("VSR330", message, span, f"It finds {', '.join(PII_TYPES)}.")
    if detector is None:
        message = f"the engine finds what `{name}` asks for by its model, and not by patterns and checksums"
        yield Diagnostic("VSR331", message, span, RUNTIME)
