"""The steps of a rollout as Kustomizations, of which each waits for the one before.

Flux knows no order inside a Kustomization, and prunes what is gone before it waits for the rest (kustomize-controller
1.9.4, `internal/controller/kustomization_controller.go`, `reconcile`). A Kustomization begins when those that it
depends on are ready at the same revision of the same source (`checkDependencies`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vsr_compiler.deploy.argocd.waves import STEP
from vsr_compiler.manifests.objects import Object


@dataclass(frozen=True, slots=True)
class Step:
    """A part of an environment.

    Attributes:
        name: The end of the Kustomization's name.
        others: The label selector of the objects that it leaves out.
        objects: The objects that it applies.
    """

    name: str
    others: str
    objects: tuple[Object, ...]


_STEPS = (("servers", ""), ("routes", "routes"), ("router", "router"))


def steps(objects: Iterable[Object]) -> Iterator[Step]:
    """Yield the steps of an environment that have objects."""
    everything = tuple(objects)
    for name, label in _STEPS:
        own = tuple(item for item in everything if _label(item) == label)
        if own:
            yield Step(name, f"{STEP}!={label}" if label else STEP, own)


def _label(item: Object) -> str:
    return str(item.body["metadata"].get("labels", {}).get(STEP, ""))
