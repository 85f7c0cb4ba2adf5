"""Reads a router config, which the compiler or anybody else may have written."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from vsr_runtime.admission.walk import MOST, split
from vsr_runtime.errors import UserError
from vsr_runtime.files import problems, read_foreign
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

_NAMED = 60


def read_router(path: Path) -> tuple[RouterConfig, tuple[str, ...]]:
    """Return a config and the places in it that are ignored.

    Raises:
        UserError: it cannot be read, or has something that would have to be executed. All reasons are named, up to 100.
    """
    document, ours = read_foreign(path)
    admitted = split(document, ours=ours)
    reasons = list(admitted.refused)
    try:
        config = RouterConfig.model_validate(admitted.document)
    except ValidationError as error:
        refused = {reason.split(": ")[0] for reason in reasons}
        reasons += [one for one in problems(admitted.document, error) if one.split(": ")[0] not in refused]
        config = None
    if config is None or reasons:
        more = f"; and {len(reasons) - MOST} more" if len(reasons) > MOST else ""
        raise UserError(f"{path.name}: {'; '.join(reasons[:MOST])}{more}")
    return config, tuple(admitted.ignored)


def named(ignored: tuple[str, ...]) -> str:
    """Return places as one text for a line of the log, without what could be long."""
    more = f" and {len(ignored) - _NAMED} more" if len(ignored) > _NAMED else ""
    return ", ".join(one[:120] for one in ignored[:_NAMED]) + more
