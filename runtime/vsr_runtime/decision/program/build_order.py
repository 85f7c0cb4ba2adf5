"""Reads the places of a config's decisions, and checks that confidence can decide between those that rank alike."""

from __future__ import annotations

from vsr_runtime.decision.program.conditions import SignalCondition, condition_leaves
from vsr_runtime.decision.program.ordering import Standing
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig import v0_4_0 as contract

_RATED = frozenset({"structure"})
"""Types of signals whose confidence the stock router computes from a number."""


def standing_of(decision: contract.Decision) -> Standing:
    """Return the place of a decision."""
    return Standing(decision.priority, decision.tier or 0)


def chosen_ref(decision: contract.Decision) -> contract.ModelRef:
    """Return the model that the algorithm ``static`` chooses, which is the stock router's default: the first one."""
    return decision.modelRefs[0]


def check_ranks(program: Program) -> None:
    """Check that the confidence of every signal is known that may decide between routes.

    Raises:
        UserError: it is not.
    """
    for rank in program.ranks or ():
        for route in rank if len(rank) > 1 else ():
            leaves = (leaf for leaf in condition_leaves(route.condition) if isinstance(leaf, SignalCondition))
            unrated = sorted(leaf.name for leaf in leaves if leaf.name[0] in _RATED and leaf.name not in program.scored)
            if unrated:
                others = ", ".join(repr(other.name) for other in rank if other is not route)
                kind, name = unrated[0]
                raise config_error(
                    f"routing.decisions: {route.name}",
                    f"ranks like {others:.200}, and the confidence of {kind} {name!r} is not computed here, which "
                    "would decide between them; give the decisions different priorities",
                )
