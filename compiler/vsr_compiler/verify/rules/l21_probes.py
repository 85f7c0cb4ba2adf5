"""L21: probes that nothing answers, and replicas without a leader."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.pickers import Picker, pickers
from vsr_compiler.verify.rules.rule import LinkRule

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_SERVICES = frozenset({"liveness", "readiness", "", "envoy.service.ext_proc.v3.ExternalProcessor"})
_LONG = 120
"""Seconds from which a delay should be a startupProbe."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for picker in pickers(index):
        yield from _picker(picker)
    for workload in index.workloads:
        for path, container in workload.containers():
            for name in ("livenessProbe", "readinessProbe"):
                delay = value_at(container, name, "initialDelaySeconds")
                if isinstance(delay, int) and delay >= _LONG and "startupProbe" not in container:
                    message = f"the {name} of {workload.owner.title} starts after {delay} s even if it is ready"
                    span = workload.owner.span(*path, name, "initialDelaySeconds")
                    yield Diagnostic("VSR421", message, span, "Use a startupProbe.", Severity.WARNING)


def _picker(picker: Picker) -> Iterator[Diagnostic]:
    owner = picker.owner
    elects = picker.is_on("ha-enable-leader-election", default=False)
    replicas = owner.spec.get("replicas", 1)
    if isinstance(replicas, int) and replicas > 1 and not elects:
        message = f"{owner.title} has {replicas} replicas without leader election: each picks without the others' state"
        hint = "Add --ha-enable-leader-election=true, or use one replica."
        yield Diagnostic("VSR421", message, owner.span("spec", "replicas"), hint, Severity.WARNING)
    for name in _PROBES if elects else ():
        service = as_mapping(as_mapping(picker.container.get(name)).get("grpc")).get("service", "")
        if as_string(service) not in _SERVICES:
            message = f"the {name} of {owner.title} checks `{service}`, which a picker with leader election lacks"
            span = owner.span(*picker.path, name, "grpc", "service")
            yield Diagnostic("VSR421", message, span, "Check `liveness` or `readiness`.")


RULE = LinkRule(
    name="L21",
    code="VSR421",
    purpose="Probes of an endpoint picker with leader election check the gRPC services `liveness` or `readiness`. "
    "Several replicas of a picker elect a leader. Slow starts have a startupProbe instead of a delay.",
    check=_check,
)
