"""How long pods of the old and of the new router run side by side in an environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsr_compiler.manifests.immutable import group_kind
from vsr_compiler.manifests.kinds import ARGO_GROUP
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import Body, Environments, environment_objects
from vsr_compiler.review.rollout.words import items, label, mapping

_KIND = "Rollout"
_DURATION = re.compile(r"(\d{1,9})([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Router:
    """The workload of the router in an environment.

    Attributes:
        kind: `Rollout` if it is replaced in steps, else `Deployment`.
        overlap: How long pods of both versions serve; empty if it is not by steps.
    """

    kind: str = "Deployment"
    overlap: str = ""

    @property
    def until(self) -> str:
        """How long requests reach old pods, as the end of a sentence."""
        return self.overlap or "until it is replaced"


def routers(trees: Comparison, environments: Environments) -> dict[str, Router]:
    """Return the router's workload of each environment that exists on both sides.

    A Rollout that is new has no old pods, so its steps are skipped.
    """
    return {name: _router(trees, name) for name in environments.old.keys() & environments.new.keys()}


def _router(trees: Comparison, name: str) -> Router:
    new = next(_rollouts(trees, name, old=False), None)
    if new is None:
        return Router()
    if next(_rollouts(trees, name, old=True), None) is None:
        return Router(_KIND)
    both = f"while {label(new)} has pods of both versions, {_length(new)} or longer"
    return Router(_KIND, f"{both}, and after an abort until you revert this change")


def _rollouts(trees: Comparison, name: str, *, old: bool) -> Iterator[Body]:
    objects = environment_objects(trees, name, old=old, kind=_KIND)
    return (body for body in objects if group_kind(body) == (ARGO_GROUP, _KIND))


def _length(rollout: Body) -> str:
    """Return the sum of the pauses between the steps of a Rollout, such as `1h 5m`."""
    canary = mapping(mapping(mapping(rollout.get("spec")).get("strategy")).get("canary"))
    seconds = sum(_seconds(mapping(step.get("pause"))) for step in items(canary.get("steps")))
    parts = (seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _seconds(pause: Mapping[str, object]) -> int:
    """Return the length of a pause; 0 for one that lasts until somebody ends it."""
    match = _DURATION.fullmatch(str(pause.get("duration", "")))
    return int(match[1]) * _SECONDS[match[2]] if match else 0
