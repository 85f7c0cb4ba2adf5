"""The Kustomizations that the compiler emits, as the phases of a change.

A Kustomization applies its objects in any order, then deletes what it no longer has, then waits; those that depend on
it begin when it is ready at the same revision. Sources: kustomize-controller v1.9.4,
internal/controller/kustomization_controller.go, `reconcile` and `checkDependencies`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from support.gitops_support import DEV, GITOPS, HERE, compiled, with_environments
from vsr_compiler import ir

Body = Mapping[str, Any]


@functools.cache
def kustomizations() -> tuple[Body, ...]:
    """Return the Kustomizations of an environment in the order of their dependencies."""
    gitops = replace(GITOPS, flux=ir.Flux("flux-system", 600_000, HERE))
    objects = compiled(with_environments(DEV, gitops=gitops)).objects.values()
    return ordered([item.body for item in objects if "kustomize.toolkit" in item.body["apiVersion"]])


def ordered(bodies: list[Body]) -> tuple[Body, ...]:
    """Return Kustomizations so that each is after those that it depends on."""
    left = {body["metadata"]["name"]: body for body in bodies}
    done: list[Body] = []
    while left:
        ready = [
            name
            for name, body in left.items()
            if not any(item["name"] in left for item in body["spec"].get("dependsOn", []))
        ]
        assert len(ready) == 1, "the order of Kustomizations is not determined"
        done.append(left.pop(ready[0]))
    return tuple(done)


def applies(body: Body) -> Callable[[Body], bool]:
    """Return whether a Kustomization applies an object: those that its patch selects are deleted from its build."""
    (patch,) = body["spec"]["patches"]
    assert patch["patch"].startswith("$patch: delete\n")
    selector = patch["target"]["labelSelector"]
    key, differs, value = selector.partition("!=")

    def is_applied(item: Body) -> bool:
        labels = item["metadata"].get("labels", {})
        return (labels.get(key) == value) if differs else key not in labels

    return is_applied
