"""Adds the limits of the runtime settings to the models of a decision program."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.program.effects import RequestLimits
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import config_error
from vsr_schemas.apis import API_PATHS
from vsr_schemas.runtime import FRAME_BYTES, LimitSettings, ModelLimitSettings

GROWTH = FRAME_BYTES // 2
"""Bytes by which the router may lengthen a body of ``limits.maxBody``. The rest of a message's overhead is framing."""
_NO_LIMITS = ModelLimitSettings()


def with_limits(program: Program, limits: LimitSettings) -> Program:
    """Return the program with the limits of each model.

    Raises:
        UserError: the settings name an unknown model.
    """
    by_model = limits.models or {}
    if unknown := sorted(by_model.keys() - program.models.keys()):
        raise config_error(f"limits.models.{unknown[0]}", "config.yaml has no model of this name", "runtime.yaml")
    read = {name: _read(by_model.get(name, _NO_LIMITS), limits.maxBody) for name in program.models}
    return replace(
        program,
        models={name: replace(target, limits=read[name]) for name, target in program.models.items()},
        routes=tuple(
            replace(
                route,
                targets=tuple((replace(target, limits=read[target.name]), share) for target, share in route.targets),
            )
            for route in program.routes
        ),
    )


def _read(limits: ModelLimitSettings, max_body: int) -> RequestLimits:
    return RequestLimits(
        max_body + GROWTH if limits.maxBody is None else min(limits.maxBody, max_body),
        frozenset(API_PATHS if limits.apis is None else limits.apis),
        limits.query is not False,
    )
