"""Checks what a config says about decisions whose signals cannot be computed (``on_unknown``)."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_runtime.decision.program.conditions import CategoryCondition, ConditionLeaf, condition_leaves
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig import v0_4_0 as contract


def check_unknown(config: contract.RouterConfig, program: Program, *, default_on_failure: bool) -> None:
    """Check that the program does what the config says about unknown signals.

    Without a word a request fails whose decision depends on a signal that cannot be computed, which is
    ``fail_request``. Signals that are computed from the request alone are never unknown, so the others say nothing
    about them.

    Args:
        config: the router config.
        program: what was built from it.
        default_on_failure: whether the runtime's settings send such requests to the default model.

    Raises:
        UserError: the program would do something else.
    """
    routes = {route.name: route for route in program.routes}
    for i, decision in enumerate(config.routing.decisions):
        place = f"routing.decisions[{i}].rules"
        if decision.rules is None:
            continue
        if any(part.on_unknown for part in _parts(decision.rules)):
            raise config_error(place, "on_unknown is for the root of the rules; move it there")
        wanted = decision.rules.on_unknown
        leaves = condition_leaves(routes[decision.name].condition)
        if wanted is None or not any(_may_be_unknown(leaf, program) for leaf in leaves):
            continue
        if wanted != "fail_request":
            raise config_error(
                place, f"on_unknown: {wanted} is not executed for signals that need a model; use fail_request"
            )
        if default_on_failure:
            raise config_error(place, "on_unknown: fail_request contradicts onFailure in runtime.yaml; remove one")


def _may_be_unknown(leaf: ConditionLeaf, program: Program) -> bool:
    return isinstance(leaf, CategoryCondition) or leaf.name in program.model_signals


def _parts(rules: contract.RuleNode | contract.RuleLeaf) -> Iterator[contract.RuleNode | contract.RuleLeaf]:
    """Yield what is below a root."""
    for part in rules.conditions if isinstance(rules, contract.RuleNode) else ():
        yield part
        yield from _parts(part)
