"""Reads a router config, which the compiler or anybody else may have written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from vsr_runtime.admission.positions import located
from vsr_runtime.admission.walk import MOST, split
from vsr_runtime.errors import UserError
from vsr_runtime.files import problems, read_foreign
from vsr_runtime.stock import admit
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

NO_MODELS = "providers.models: none is defined, so that nothing could be served; name the models behind the gateway"

NO_DEFAULT = (
    "providers.defaults.model: is required, because some request may match no decision (the stock router answers 400)"
)
_DEFAULT = ("providers.defaults: Field", "providers.defaults.model: Field")


@dataclass(frozen=True, slots=True)
class AdmittedConfig:
    """A router config.

    Attributes:
        config: what is executed.
        ignored: what of it is ignored.
        ours: whether the compiler wrote it. Then ``runtime.yaml`` has the rest of it.
    """

    config: RouterConfig
    ignored: tuple[str, ...]
    ours: bool


def read_router(path: Path) -> AdmittedConfig:
    """Read a config.

    Raises:
        UserError: it cannot be read, or has something that would have to be executed. All reasons are named, up to 100.
    """
    document, ours = read_foreign(path)
    admission = admit(document, ours=ours)
    admitted = split(document, ours=ours)
    reasons = [*admission.refused, *admitted.refused]
    if not _models(admitted.document):
        reasons.insert(0, NO_MODELS)
    config = None
    try:
        config = RouterConfig.model_validate(admitted.document)
    except ValidationError as error:
        places = tuple(reason.partition(": ")[0] for reason in reasons)
        found = (one for one in problems(admitted.document, error) if not one.startswith(places))
        reasons += [NO_DEFAULT if one.startswith(_DEFAULT) else one for one in found]
    if config is None or reasons:
        more = f"; and {len(reasons) - MOST} more" if len(reasons) > MOST else ""
        raise UserError(f"{located(path, reasons[:MOST])}{more}")
    return AdmittedConfig(config, (*admission.ignored, *admitted.ignored), ours)


def _models(document: object) -> object:
    providers = document.get("providers") if isinstance(document, dict) else None
    return providers.get("models") if isinstance(providers, dict) else None
