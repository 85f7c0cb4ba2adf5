"""Adds the limits of the runtime settings to the models of a decision program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.program.effects import CorsPolicy, ModelTarget, RequestLimits
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import config_error
from vsr_schemas.apis import API_PATHS, CHAT, ApiName, ApiPath, paths_of
from vsr_schemas.runtime import FRAME_BYTES, CorsSettings, LimitSettings, ModelLimitSettings

GROWTH = FRAME_BYTES // 2
"""Bytes by which the router may lengthen a body of ``limits.maxBody``. The rest of a message's overhead is framing."""
_NO_LIMITS = ModelLimitSettings()


def with_limits(program: Program, limits: LimitSettings, apis: Sequence[ApiName] | None = None) -> Program:
    """Return the program with the limits of each model.

    Args:
        program: the program.
        limits: the limits.
        apis: the APIs that are open; None for all.

    Raises:
        UserError: the settings name an unknown model.
    """
    by_model = limits.models or {}
    if unknown := sorted(by_model.keys() - program.models.keys()):
        raise config_error(f"limits.models.{unknown[0]}", "config.yaml has no model of this name", "runtime.yaml")
    opened = frozenset(API_PATHS) if apis is None else paths_of(list(apis))
    read = {
        name: _read(by_model.get(name, _NO_LIMITS), limits, opened & frozenset({CHAT}) if _has_path(target) else opened)
        for name, target in program.models.items()
    }
    return replace(
        program,
        models={name: replace(target, limits=read[name]) for name, target in program.models.items()},
        default_target=program.default_target and replace(program.default_target, limits=read[program.default]),
        routes=tuple(
            replace(
                route,
                targets=tuple((replace(target, limits=read[target.name]), share) for target, share in route.targets),
            )
            for route in program.routes
        ),
    )


def with_cors(program: Program, cors: CorsSettings | None) -> Program:
    """Return the program with the pages that may call the gateway."""
    if cors is None:
        return program
    policy = CorsPolicy(
        frozenset(cors.allowOrigins),
        tuple(cors.allowHeaders),
        tuple(cors.exposeHeaders or ()),
        credentials=cors.allowCredentials is True,
        max_age=cors.maxAge,
    )
    return replace(program, cors=policy)


def _has_path(target: ModelTarget) -> bool:
    """Return whether a model has a path of its own for chats, and so nothing else."""
    return target.credentials is not None and bool(target.credentials.chat_path)


def _read(limits: ModelLimitSettings, common: LimitSettings, opened: frozenset[ApiPath]) -> RequestLimits:
    listed = limits.apis or common.apis or API_PATHS
    return RequestLimits(
        common.maxBody + GROWTH if limits.maxBody is None else min(limits.maxBody, common.maxBody),
        frozenset(path for path in listed if path in opened and path.startswith(limits.prefix or "/")),
        limits.query is not False,
    )
