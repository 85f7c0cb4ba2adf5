"""L21: a probe asks what answers."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import dig, table, text
from vsr_compiler.verify.manifest_index import World
from vsr_compiler.verify.pickers import Picker, pickers

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_ANSWER = frozenset({"liveness", "readiness", "", "envoy.service.ext_proc.v3.ExternalProcessor"})
_LONG = 120


def rule(world: World) -> Iterator[Diagnostic]:
    """The probes of a picker with leader election ask for `liveness` or `readiness`, the only services that then
    answer, several replicas of one elect a leader, and slow starts have a startupProbe instead of a delay.
    """  # noqa: D205 - the whole of it is what users read
    for picker in pickers(world):
        yield from _picker(picker)
    for pods in world.pods:
        for path, container in pods.containers():
            for name in ("livenessProbe", "readinessProbe"):
                delay = dig(container, name, "initialDelaySeconds")
                if isinstance(delay, int) and delay >= _LONG and "startupProbe" not in container:
                    message = f"{pods.owner.title} is not probed for {delay} s, however early it is up or dead"
                    place = pods.owner.span(*path, name, "initialDelaySeconds")
                    yield Diagnostic("VSR421", message, place, "Use a startupProbe.", Severity.WARNING)


def _picker(picker: Picker) -> Iterator[Diagnostic]:
    elects = picker.is_on("ha-enable-leader-election", default=False)
    replicas = picker.owner.spec.get("replicas", 1)
    if isinstance(replicas, int) and replicas > 1 and not elects:
        message = f"{picker.owner.title} has {replicas} replicas, each of which picks without knowing of the others"
        hint = "Add --ha-enable-leader-election=true, or keep one replica."
        yield Diagnostic("VSR421", message, picker.owner.span("spec", "replicas"), hint, Severity.WARNING)
    for name in _PROBES if elects else ():
        service = table(table(picker.container.get(name)).get("grpc")).get("service", "")
        if text(service) not in _ANSWER:
            message = f"the {name} of {picker.owner.title} asks for `{service}`, which a picker with a leader lacks"
            place = picker.owner.span(*picker.path, name, "grpc", "service")
            yield Diagnostic("VSR421", message, place, "Ask for `liveness` or `readiness`.")
