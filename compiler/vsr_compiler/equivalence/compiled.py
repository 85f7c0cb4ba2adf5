"""The side of a policy: what it compiles to, without training classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsr_compiler import ir
from vsr_compiler.equivalence.declared import Declared
from vsr_compiler.equivalence.side import Side, read_side

Json = dict[str, Any]


def policy_side(policy: ir.Policy, lost: Mapping[str, frozenset[str]] | None = None) -> Side:
    """Return the decisions of a policy, as its router executes them.

    Args:
        policy: The linked policy.
        lost: What of routes is not compared, by route.

    Raises:
        IncomparableError: It has parts that are not compared.
    """
    return read_side(*bodies(policy), declared=Declared(lost=lost or {}))


def bodies(policy: ir.Policy) -> tuple[Json, Json | None]:
    """Return the config of a policy, in the newest contract, and the settings of our runtime if that is its engine."""
    # Imported here: the settings of classifiers need the files of encoders.
    from vsr_compiler.heads.compile import untrained_settings  # noqa: PLC0415
    from vsr_compiler.routerconfig.semantic_router import stock_config  # noqa: PLC0415
    from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings  # noqa: PLC0415

    if isinstance(policy.router.implementation, ir.SemanticRouter):
        return stock_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True), None
    config = router_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
    settings = runtime_settings(policy, untrained_settings(policy))
    return config, settings.model_dump(mode="json", exclude_none=True)
