"""Rules for what a release of semantic-router cannot do that later ones can. The table of releases has the facts."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.semantic_router import AUTO, STOCK_ROUTER, StockRouter, executes, other_auto_names
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES


def check(policy: ir.Policy, release: StockRouter) -> Iterator[Diagnostic]:
    """Report VSR330 and VSR331 for what the release lacks."""
    version = policy.versions["semantic-router"]
    this = f"semantic-router {version}"
    yield from _signals(policy, release, this)
    if not release.detectors_can_block:
        yield from _detectors(policy, this)
    if release.contract != max(item.contract for item in STOCK_ROUTER.values()):
        yield from _names(policy, this)
        yield from _reasoning(policy, this)


def _signals(policy: ir.Policy, release: StockRouter, this: str) -> Iterator[Diagnostic]:
    for signal in policy.signals:
        match signal.kind:
            case ir.ModalitySignal() if "input_modality" in release.lacks:
                words = "input modalities"
            case ir.ConversationSignal(of=of) if of in release.lacks:
                words = f"`of: {of}`"
            case _:
                continue
        message = f"{this} does not support {words}, used by signal `{signal.name}`"
        yield Diagnostic("VSR330", message, signal.span, _newer("Remove the signal"))


def _detectors(policy: ir.Policy, this: str) -> Iterator[Diagnostic]:
    """Check guards that must block if their detector fails. Patterns cannot fail."""
    for guard in policy.guards:
        if guard.on_error == "block" and not guard.patterns:
            message = f"{this} lets requests pass if the detector of guard `{guard.name}` fails"
            yield Diagnostic("VSR330", message, guard.span, _newer("Accept it with `onError: pass`"))


def _names(policy: ir.Policy, this: str) -> Iterator[Diagnostic]:
    names = list(policy.router.auto_models)
    others = other_auto_names(names)
    if len(others) > 1:
        listed = " and ".join(f"`{name}`" for name in others)
        message = f"{this} takes one auto-model name beside `{AUTO}`, not {listed}"
        yield Diagnostic(
            "VSR330", message, policy.router.span, _newer(f"Keep one of them in `autoModels: [{AUTO}, …]`")
        )
    if AUTO not in names:
        message = f"{this} also chooses the model of requests for `{AUTO}`, which `autoModels` does not list"
        yield Diagnostic("VSR331", message, policy.router.span, f"Add `{AUTO}` to `autoModels`.")


def _reasoning(policy: ir.Policy, this: str) -> Iterator[Diagnostic]:
    for model in policy.models:
        if model.reasoning is None or model.base is not None:
            continue
        name = model.reasoning.family
        family = FAMILIES[name]
        outside = any(endpoint.provider is not None for endpoint, _ in model.endpoints)
        if not executes(family) or (outside and family.type == "reasoning_effort"):
            message = f"{this} cannot switch the reasoning of family `{name}` as model `{model.name}` needs it"
            yield Diagnostic("VSR330", message, model.span, _newer("Remove `reasoningFamily`"))
        elif family.type == "reasoning_effort":
            message = f"{this} does not switch reasoning of model `{model.name}` off: it sends the effort `low` instead"
            yield Diagnostic("VSR331", message, model.span, _newer("Accept it"))


def _newer(otherwise: str) -> str:
    return f"{otherwise}, or use a newer release: `gateway.versions: {{semantic-router: …}}`."
