"""The models of a config: which names there are, and how each is served."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vsr_runtime.decision.program.effects import Target
from vsr_runtime.decision.program.refuse import refuse, unique
from vsr_schemas.routerconfig import v0_4_0 as contract

_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")


def models(config: contract.RouterConfig) -> dict[str, Target]:
    """Each name that a client may ask for: models, then their adapters.

    Raises:
        UserError: a name is doubled, unknown, or cannot travel in a header.
    """
    given = config.providers.models
    bases = [model.name for model in given]
    unique("providers.models", bases)
    for i, model in enumerate(given):
        header_safe(f"providers.models[{i}].name", model.name)
        if model.provider_model_id == "":
            raise refuse(f"providers.models[{i}].provider_model_id", "is empty; remove it")
    cards = config.routing.modelCards
    unique("routing.modelCards", [card.name for card in cards])
    adapters: list[str] = []
    for i, card in enumerate(cards):
        if card.name not in bases:
            raise refuse(f"routing.modelCards[{i}].name", f"model {card.name!r} is not defined under providers.models")
        for lora in card.loras or ():
            header_safe(f"routing.modelCards[{i}].loras", lora.name)
            adapters.append(lora.name)
    unique("routing.modelCards", [*bases, *adapters])
    # An adapter is served by the name that it was loaded under.
    return {model.name: Target(model.name, model.provider_model_id or model.name) for model in given} | {
        name: Target(name, name) for name in adapters
    }


def auto_names(names: list[str], served: Mapping[str, Target]) -> tuple[str, ...]:
    """The names by which a client lets the router choose.

    Raises:
        UserError: one is doubled, cannot travel in a header, or is a model's too.
    """
    place = "global.router.auto_model_names"
    unique(place, names)
    for name in names:
        header_safe(place, name)
        if name in served:
            raise refuse(place, f"{name!r} is also a model; a name is either chosen by the router or served")
    return tuple(names)


def header_safe(place: str, name: str) -> None:
    """A model's name travels in a header: printable ASCII, no blank at either end, at most 256 characters.

    Raises:
        UserError: it cannot.
    """
    if not _HEADER_VALUE.fullmatch(name):
        raise refuse(place, f"{name[:80]!r} cannot stand in a header; use printable ASCII without blanks at the ends")
