"""Rules for values that must be consistent, and for targets."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import suggest


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report inconsistent timeouts (VSR245), and what is unsafe if the router fails open (VSR243, VSR340)."""
    router = policy.router
    if router.deadline >= policy.gateway.timeout:
        hint = "Raise `gateway.timeout`, or lower `router.deadline`."
        message = "`router.deadline` is not shorter than `gateway.timeout`"
        yield Diagnostic("VSR245", message, router.span, hint)
    for route in policy.retrying:
        retry = route.retry
        if retry is not None and retry.first_byte is not None and retry.first_byte >= policy.gateway.timeout:
            message = f"`firstByte` of route `{route.name}` is not shorter than `gateway.timeout`"
            hint = "Lower `retry.firstByte`, or raise `gateway.timeout`, which all attempts together have."
            yield Diagnostic("VSR245", message, retry.span, hint)
    if router.fails_open:
        yield from _fail_open(policy)


def _fail_open(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Check the path to the default model: requests bypass every guard and keep the client's model name."""
    router, default = policy.router, policy.default
    if policy.guards:
        names = " and ".join(f"`{guard.name}`" for guard in policy.guards)
        guards = f"guard{'s' * (len(policy.guards) > 1)} {names}"
        message = f"`onFailure: {router.on_failure}` lets requests bypass the {guards} if the router fails"
        hint = "Use `onFailure: deny`, or remove the guards."
        yield Diagnostic("VSR340", message, router.span, hint)
    if default.base is not None:
        hint = "Use `onFailure: deny`, or a default model that is not an adapter."
        message = f"the server of adapter `{default.name}` would answer `{router.auto_models[0]}` with its base model"
        yield Diagnostic("VSR243", message, router.span, hint)
    else:
        for endpoint, _ in default.endpoints:
            if not isinstance(endpoint.kind, ir.VllmServer):
                hint = "Use `onFailure: deny`, or a default model on a `vllm` endpoint."
                message = f"endpoint `{endpoint.name}` may not serve the model name `{router.auto_models[0]}`"
                yield Diagnostic("VSR243", message, router.span, hint)


def check_targets(policy: ir.Policy, targets: Collection[str]) -> Iterator[Diagnostic]:
    """Report environments with a target that is not registered (VSR105)."""
    for environment in policy.environments:
        if environment.target not in targets:
            message = f"the target `{environment.target}` of the environment `{environment.name}` is not supported"
            yield Diagnostic("VSR105", message, environment.span, suggest(environment.target, sorted(targets)))
