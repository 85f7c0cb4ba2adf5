"""One part of a render by the name of the target, for tests that look at one target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets import TARGETS, Target, register, render, unregister
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.common.helm import Values


def objects(policy: ir.Policy, target: str) -> list[Object]:
    """Return the objects of the base. Raises CompileError if the target cannot do what the policy asks."""
    rendered = render(TARGETS[target], policy)
    if rendered.errors:
        raise CompileError(rendered.notices)
    return list(rendered.objects)


def notices(policy: ir.Policy, target: str) -> list[Diagnostic]:
    """Return what the checks report."""
    return list(render(TARGETS[target], policy).notices)


def components(policy: ir.Policy, target: str) -> list[Component]:
    """Return the Kustomize components."""
    return list(render(TARGETS[target], policy).components)


def values(policy: ir.Policy, target: str) -> list[Values]:
    """Return the values for Helm."""
    return list(render(TARGETS[target], policy).values)


@contextmanager
def replaced(target: Target) -> Iterator[None]:
    """Register a target in the place of the one with its name."""
    originals = list(TARGETS.values())
    unregister(target.name)
    register(target)
    try:
        yield
    finally:
        unregister(target.name)
        for original in originals:  # in their order, which the schema for editors shows
            if original.name in TARGETS:
                unregister(original.name)
            register(original)
