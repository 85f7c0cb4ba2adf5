"""L30: model servers that do not become ready, or stop soon after."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string, as_strings, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex, Workload
from vsr_compiler.verify.pickers import container_flags
from vsr_compiler.verify.rules.rule import LinkRule

_LOAD = 60
"""Seconds that a model server takes to load at least, with small models."""
_SERVER = re.compile(r"(^|/)(vllm-openai|vllm-cpu|vllm|sglang|llm-d-cuda|lmcache-vllm)[:@-]|vllm/vllm")
_SINGLE = {"ReadWriteOnce", "ReadWriteOncePod"}
_SHARED_MEMORY = frozenset({"/dev/shm", "/dev"})  # noqa: S108 - paths in a container
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for workload in index.workloads:
        yield from _claims(index, workload)
        for path, container in workload.containers():
            if is_model_server(container):
                yield from _liveness(workload, path, container)
                yield from _port(workload, path, container)
                yield from _shared_memory(workload, path, container)


def is_model_server(container: Body) -> bool:
    """Whether a container runs vLLM or SGLang."""
    words = [*as_strings(container.get("command")), *as_strings(container.get("args"))]
    serves = "vllm" in words and "serve" in words
    return serves or _SERVER.search(as_string(container.get("image"))) is not None


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _liveness(workload: Workload, path: Path, container: Body) -> Iterator[Diagnostic]:
    probe = as_mapping(container.get("livenessProbe"))
    if not probe or "startupProbe" in container:
        return
    attempts = _number(probe.get("periodSeconds"), 10) * _number(probe.get("failureThreshold"), 3)
    seconds = _number(probe.get("initialDelaySeconds"), 0) + attempts
    if seconds < _LOAD:
        message = f"the livenessProbe of {workload.owner.title} restarts the server after {seconds} s, while it loads"
        hint = "Add a startupProbe that allows for the time that the model takes to load."
        yield Diagnostic("VSR630", message, workload.owner.span(*path, "livenessProbe"), hint, Severity.WARNING)


def _port(workload: Workload, path: Path, container: Body) -> Iterator[Diagnostic]:
    port, flag_path = container_flags(container, path).get("port", ("", ()))
    declared = [item.get("containerPort") for item in as_mappings(container.get("ports"))]
    if not port.isdigit():
        return
    probed = [value_at(container, probe, action, "port") for probe in _PROBES for action in ("httpGet", "tcpSocket")]
    others = [number for number in (*declared, *probed) if isinstance(number, int)]
    if others and int(port) not in others:
        message = f"{workload.owner.title} listens on port {port}, but its ports and probes are for {others[0]}"
        yield Diagnostic(
            "VSR630", message, workload.owner.span(*flag_path), "Use the same port in all places.", Severity.WARNING
        )


def _shared_memory(workload: Workload, path: Path, container: Body) -> Iterator[Diagnostic]:
    flags = container_flags(container, path)
    size, flag_path = flags.get("tensor-parallel-size") or flags.get("tp") or flags.get("tp-size") or ("", ())
    if not size.isdigit() or int(size) <= 1 or workload.spec.get("hostIPC") is True:
        return
    mounted = {
        as_string(mount.get("name"))
        for mount in as_mappings(container.get("volumeMounts"))
        if as_string(mount.get("mountPath")).rstrip("/") in _SHARED_MEMORY
    }
    if not mounted:
        message = f"{workload.owner.title} uses {size} GPUs with 64 MiB of shared memory, with which they do not start"
        hint = "Mount an emptyDir with medium: Memory at /dev/shm."
        yield Diagnostic("VSR630", message, workload.owner.span(*flag_path), hint, Severity.WARNING)


def _claims(index: ManifestIndex, workload: Workload) -> Iterator[Diagnostic]:
    """Report one volume that several pods mount and only one node can."""
    owner = workload.owner
    replicas = owner.spec.get("replicas")
    if owner.kind not in {"Deployment", "StatefulSet"} or not isinstance(replicas, int) or replicas < 2:  # noqa: PLR2004
        return
    for path, volume in owner.entries(*workload.path, "spec", "volumes"):
        name = as_string(value_at(volume, "persistentVolumeClaim", "claimName"))
        claim = index.find("", "PersistentVolumeClaim", owner.namespace, name)
        modes = set(as_strings(claim.spec.get("accessModes"))) if claim else set()
        if claim is not None and modes and modes <= _SINGLE:
            message = f"{replicas} pods of {owner.title} mount {claim.title}, which only one node can mount at a time"
            hint = "Use ReadWriteMany or ReadOnlyMany, a volume for each pod, or one replica."
            yield Diagnostic("VSR630", message, owner.span(*path), hint, Severity.WARNING)


RULE = LinkRule(
    name="L30",
    code="VSR630",
    purpose="The liveness probe of a model server leaves time for loading the model, its port is that of its probes, "
    "and several GPUs have shared memory. A volume that one node can mount is not shared by several pods.",
    check=_check,
)
