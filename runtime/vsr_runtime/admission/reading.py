"""Reads a router config, which the compiler or anybody else may have written."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from vsr_runtime.admission.walk import MOST, split
from vsr_runtime.errors import UserError
from vsr_runtime.files import problems, read_foreign
from vsr_runtime.stock import admit
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig


def read_router(path: Path) -> tuple[RouterConfig, tuple[str, ...]]:
    """Return a config and what of it is ignored.

    Raises:
        UserError: it cannot be read, or has something that would have to be executed. All reasons are named, up to 100.
    """
    document, ours = read_foreign(path)
    admission = admit(document)
    admitted = split(document, ours=ours)
    reasons = [*admission.refused, *admitted.refused]
    config = None
    try:
        config = RouterConfig.model_validate(admitted.document)
    except ValidationError as error:
        places = tuple(reason.partition(": ")[0] for reason in reasons)
        reasons += [one for one in problems(admitted.document, error) if not one.startswith(places)]
    if config is None or reasons:
        more = f"; and {len(reasons) - MOST} more" if len(reasons) > MOST else ""
        raise UserError(f"{path.name}: {'; '.join(reasons[:MOST])}{more}")
    return config, (*admission.ignored, *admitted.ignored)
