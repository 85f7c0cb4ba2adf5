"""In which order a change is applied: by the waves of Argo CD, by commands of kubectl, by Kustomizations of Flux."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from support.argo_cd import wave
from support.rollouts.flux import applies, kustomizations
from support.rollouts.versions import Body, Identity, Versions
from vsr_compiler.deploy.argocd.waves import STEP


@dataclass(frozen=True, slots=True)
class Phase:
    """What is applied in any order, and awaited, before the next phase begins.

    Attributes:
        name: What a trace calls it.
        applies: Whether an object of the desired version belongs to the phase.
        prunes: Whether objects that the desired version does not have are deleted, in any order.
        waits: Whether the next phase begins only when every object of this one is healthy.
    """

    name: str
    applies: Callable[[Body], bool]
    prunes: bool = False
    waits: bool = True


Delivery = Callable[[Versions], list[Phase]]


def argo_cd(versions: Versions) -> list[Phase]:
    """Return Argo CD's waves, and the removal of objects in the end (`PruneLast`)."""
    numbers = sorted({wave(body) for side in versions.sides for body in side.values()})
    phases = [Phase(f"wave {number}", _of_wave(number)) for number in numbers]
    return [*phases, Phase("prune", _nothing, prunes=True)]


def _of_wave(number: int) -> Callable[[Body], bool]:
    return lambda body: wave(body) == number


def _anything(body: Body) -> bool:
    del body
    return True


def _nothing(body: Body) -> bool:
    del body
    return False


def _step(body: Body) -> str:
    return str(body["metadata"].get("labels", {}).get(STEP, ""))


def kubectl(versions: Versions) -> list[Phase]:
    """Return the documented commands: three times apply and wait, then delete."""
    del versions
    return [
        Phase("kubectl apply -l '!vsr.dev/step'", lambda body: not _step(body)),
        Phase("kubectl apply -l vsr.dev/step!=router", lambda body: _step(body) != "router"),
        Phase("kubectl apply", _anything),
        Phase("kubectl delete", _nothing, prunes=True),
    ]


def one_command(versions: Versions) -> list[Phase]:
    """Return a single `kubectl apply -k` with `--prune`, which waits for nothing."""
    del versions
    return [Phase("kubectl apply --prune", _anything, prunes=True, waits=False)]


def flux(versions: Versions) -> list[Phase]:
    """Return the emitted Kustomizations. Each prunes what it no longer has, before it waits."""
    del versions
    phases = []
    for body in kustomizations():
        name, spec, own = body["metadata"]["name"], body["spec"], applies(body)
        phases.append(Phase(f"Kustomization {name}", own, waits=False))
        phases.append(Phase(f"Kustomization {name} prunes and waits", own, prunes=spec["prune"], waits=spec["wait"]))
    return phases


def pruned_in(phase: Phase, phases: list[Phase], name: Identity, old: Mapping[Identity, Body]) -> bool:
    """Return whether a phase deletes an object: one of its own, or any if it owns none."""
    if not phase.prunes:
        return False
    owners = [item for item in phases if item.prunes and name in old and item.applies(old[name])]
    return phase in owners or not owners
