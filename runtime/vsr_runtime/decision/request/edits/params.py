"""Removes blocked parameters and clamps those that have a bound."""

from __future__ import annotations

from vsr_runtime.decision.program.effects import Params
from vsr_runtime.decision.request.draft import Draft

TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""How the APIs call the length of an answer."""
COUNTS = ("n", "best_of")


def limit_params(draft: Draft, params: Params) -> None:
    """Bring a client's parameters within bounds.

    A parameter that is missing or null stays so: the server's own default holds. Whatever is not a number from 0 to the
    bound becomes the bound, since some server might take a text or a negative number for more.
    """
    draft.remove(*params.blocked)
    for names, bound in ((TOKENS, params.max_tokens), (COUNTS, params.max_n)):
        for name in names:
            value = draft.get(name)
            if bound is not None and value is not None and not _within(value, bound):
                draft.set(name, bound)


def _within(value: object, bound: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= bound
