"""Links ``fallback`` and ``retry`` of a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema
from vsr_schemas.policy.v1alpha1.fallback import FailureName

DEFAULT_ON: tuple[FailureName, ...] = ("connect", "5xx", "429")
"""Failures after which no model still works on the request. A timeout and a reset leave that open."""


def link_retry(
    scope: Scope, spec: schema.RouteSpec, models: Sequence[ir.Model], path: Path, defined: Mapping[str, ir.Model]
) -> ir.Retry | None:
    """Return the further attempts of a route; None if there are none."""
    if spec.fallback is None and spec.retry is None:
        return None
    where = (*path, "retry" if spec.fallback is None else "fallback")
    if spec.respond is not None:
        message = f"`{where[-1]}` has no effect: the route answers with a fixed text"
        scope.report("VSR273", message, where, "Remove it.", key=True)
        return None
    fallback = _fallback(scope, spec.fallback or [], models, path, defined)
    retry = spec.retry or schema.RetrySpec()
    on = tuple(dict.fromkeys(retry.on or DEFAULT_ON))
    attempts = _attempts(scope, retry, len(spec.fallback or ()), path)
    _check_timeout(scope, retry, on, path)
    if attempts == 1:
        return None
    return ir.Retry(fallback, attempts, on, retry.budget, retry.first_byte, scope.span(*where, key=True))


def _fallback(
    scope: Scope, names: list[str], models: Sequence[ir.Model], path: Path, defined: Mapping[str, ir.Model]
) -> tuple[ir.Model, ...]:
    """Return the models of ``fallback``. Reports one that is there twice, or is the only model of the route."""
    found: list[ir.Model] = []
    for index, name in enumerate(names):
        where = (*path, "fallback", index)
        model = scope.resolve(defined, name, "model", where)
        if model is None:
            continue
        if model in found:
            scope.report("VSR205", f"duplicate entry `{name}`", where, "Remove one.")
        elif [model] == list(models):
            message = f"`{name}` is the model of the route, so it is no fallback for it"
            hint = "Remove it. To ask the same model again, set `retry.attempts`."
            scope.report("VSR273", message, where, hint)
        found.append(model)
    return tuple(found)


def _attempts(scope: Scope, retry: schema.RetrySpec, fallbacks: int, path: Path) -> int:
    """Return the number of attempts. Every model of the fallback gets at least one."""
    needed = 1 + fallbacks
    if retry.attempts is None and fallbacks:
        return needed
    if retry.attempts is None or (retry.attempts == 1 and not fallbacks):
        message = "`retry` has no effect: the request is sent once, to one model"
        hint = "Set `retry.attempts` to 2 or more, or add a `fallback`."
        scope.report("VSR274", message, (*path, "retry"), hint, key=True)
        return 1
    if retry.attempts < needed:
        message = f"`attempts: {retry.attempts}` is too few for {needed} models: the last ones are never asked"
        hint = f"Set it to {needed} or more, or shorten `fallback`."
        scope.report("VSR274", message, (*path, "retry", "attempts"), hint)
    return retry.attempts


def _check_timeout(scope: Scope, retry: schema.RetrySpec, on: tuple[FailureName, ...], path: Path) -> None:
    """Report a timeout without a time, and a time without the failure."""
    if retry.first_byte is None and "timeout" in on:
        index = (retry.on or []).index("timeout")
        message = "`timeout` has no effect without `firstByte`: the time of the whole request is used up by then"
        hint = "Set `retry.firstByte` to the time in which a response must begin."
        scope.report("VSR275", message, (*path, "retry", "on", index), hint)
    if retry.first_byte is not None and "timeout" not in on:
        message = "`firstByte` has no effect, because `on` does not name `timeout`"
        hint = f"Add it: `on: [{', '.join((*on, 'timeout'))}]`. A model that is slow may still work on the request."
        scope.report("VSR275", message, (*path, "retry", "firstByte"), hint, key=True)
