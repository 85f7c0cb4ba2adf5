"""Reads a container of a pod: its variables and resources. What a cluster gets and what a host gets are the same."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_compiler import ir
from vsr_compiler.deploy.compose.model import Limits, Variable
from vsr_compiler.ir.placement import KeyReference
from vsr_compiler.manifests.expansion import without_escapes
from vsr_compiler.manifests.objects import Body
from vsr_schemas.quantities import amount

Environment = tuple[tuple[str, str], ...]


def settings(env: Sequence[Body], placement: ir.Placement) -> tuple[Environment, tuple[Variable, ...]]:
    """Return the variables with values, and those whose values are keys of Secrets.

    Args:
        env: The variables of the pod's container.
        placement: The policy's own variables, which replace others of the same name.
    """
    values: dict[str, str | Variable] = {}
    for item in env:
        name = item["name"]
        if "value" in item:
            values[name] = without_escapes(item["value"])
        elif "secretKeyRef" in item.get("valueFrom", {}):
            key = item["valueFrom"]["secretKeyRef"]
            values[name] = Variable(name, key["name"], key["key"], bool(key.get("optional")))
    for own in placement.env or ():
        if isinstance(own.value, KeyReference):
            values[own.name] = Variable(own.name, own.value.name, own.value.key, own.value.optional)
        else:
            values[own.name] = own.value
    plain = tuple((name, value) for name, value in values.items() if isinstance(value, str))
    return plain, tuple(value for value in values.values() if isinstance(value, Variable))


def bounds(resources: Body) -> Limits:
    """Return the bounds of a container by the limits of its resources."""
    limits = resources.get("limits", {})
    memory, cpus = amount(str(limits.get("memory", ""))), amount(str(limits.get("cpu", "")))
    return Limits(int(memory) if memory else None, float(cpus) if cpus else None)
