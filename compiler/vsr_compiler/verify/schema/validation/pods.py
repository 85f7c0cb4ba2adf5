"""Pods and their containers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string
from vsr_compiler.verify.schema.cel.quantities import parse
from vsr_compiler.verify.schema.validation.faults import (
    MAX_PORT,
    Fault,
    at_least,
    dns_label,
    exclusive,
    integer,
    labels,
    port_name,
    port_reference,
)
from vsr_compiler.verify.schema.validation.spread import spread

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
MAX_FAULTS = 50
"""Limit of faults of one pod."""


def pod(spec: Body, path: Path) -> Iterator[Fault]:
    """Check the spec of a pod."""
    for number, fault in enumerate(_pod(spec, path)):
        if number >= MAX_FAULTS:
            return
        yield fault


def _pod(spec: Body, path: Path) -> Iterator[Fault]:
    if isinstance(spec.get("containers"), list) and not spec["containers"]:
        yield (*path, "containers"), "has no containers", "Add a container."
    names: dict[str, str] = {}
    host_ports: set[tuple[Any, ...]] = set()
    for field in _CONTAINERS:
        own: set[str] = set()
        for number, container in enumerate(as_mappings(spec.get(field))):
            at = (*path, field, number)
            name = as_string(container.get("name"))
            if names.get(name, field) != field and name not in own:
                yield (*at, "name"), f"another container has the name `{name}`", "Use another name."
            own.add(name)
            names.setdefault(name, field)
            yield from _container(container, at, init=field == "initContainers")
            taken = set[tuple[Any, ...]]() if field == "initContainers" else host_ports
            yield from _host_ports(container, at, taken, shared=spec.get("hostNetwork") is True)
    yield from at_least(spec, path, 0, "terminationGracePeriodSeconds")
    yield from at_least(spec, path, 1, "activeDeadlineSeconds")
    yield from labels(spec.get("nodeSelector"), (*path, "nodeSelector"))
    for number, volume in enumerate(as_mappings(spec.get("volumes"))):
        yield from _volume(volume, (*path, "volumes", number))
    for number, toleration in enumerate(as_mappings(spec.get("tolerations"))):
        yield from _toleration(toleration, (*path, "tolerations", number))
    yield from spread(as_mappings(spec.get("topologySpreadConstraints")), (*path, "topologySpreadConstraints"))
    if spec.get("dnsPolicy") == "None" and not as_mapping(spec.get("dnsConfig")).get("nameservers"):
        yield (*path, "dnsPolicy"), "`None` needs `dnsConfig.nameservers`", "Add a server, or use ClusterFirst."


def _container(container: Body, at: Path, *, init: bool) -> Iterator[Fault]:
    name, image = container.get("name"), container.get("image")
    if isinstance(name, str) and not dns_label(name):
        yield (*at, "name"), f"`{name[:80]}` is not a valid name of a container", "Use a-z, 0-9 and `-`; 63 at most."
    if image is None or image == "":
        yield at if image is None else (*at, "image"), "has no image", "Set `image`."
    elif isinstance(image, str) and image != image.strip():
        yield (*at, "image"), "must not begin or end with white space", "Remove the white space."
    yield from _ports(container, at)
    yield from _environment(container, at)
    yield from _resources(as_mapping(container.get("resources")), (*at, "resources"))
    yield from _probes(container, at, init=init)
    yield from _mounts(container, at)
    security = as_mapping(container.get("securityContext"))
    if security.get("privileged") is True and security.get("allowPrivilegeEscalation") is False:
        hint = "Remove one of them."
        yield (*at, "securityContext"), "is privileged and forbids privilege escalation", hint


def _probes(container: Body, at: Path, *, init: bool) -> Iterator[Fault]:
    restartable = not init or container.get("restartPolicy") == "Always"
    for probe in _PROBES:
        value = container.get(probe)
        if isinstance(value, dict):
            if not restartable:
                yield (*at, probe), "an init container has no probes, unless its restartPolicy is Always", "Remove it."
            yield from _probe(value, (*at, probe))
    for hook in ("postStart", "preStop"):
        value = as_mapping(container.get("lifecycle")).get(hook)
        if isinstance(value, dict):
            yield from exclusive(value, (*at, "lifecycle", hook), *_HOOKS)


def _mounts(container: Body, at: Path) -> Iterator[Fault]:
    for number, mount in enumerate(as_mappings(container.get("volumeMounts"))):
        place = (*at, "volumeMounts", number)
        yield from exclusive(mount, place, "subPath", "subPathExpr")
        part = as_string(mount.get("subPath"))
        if part.startswith("/") or ".." in part.split("/"):
            yield (*place, "subPath"), f"`{part[:80]}` leaves the volume", "Use a relative path without `..`."


def _ports(container: Body, at: Path) -> Iterator[Fault]:
    names: set[str] = set()
    for number, port in enumerate(as_mappings(container.get("ports"))):
        name = as_string(port.get("name"))
        if not name:
            continue
        if not port_name(name):
            hint = "Use at most 15 lower-case letters, digits and `-`, with a letter, without `--`."
            yield (*at, "ports", number, "name"), f"`{name[:80]}` is not the name of a port", hint
        elif name in names:
            yield (*at, "ports", number, "name"), f"another port has the name `{name}`", "Use another name."
        names.add(name)


def _host_ports(container: Body, at: Path, seen: set[tuple[Any, ...]], *, shared: bool) -> Iterator[Fault]:
    for number, port in enumerate(as_mappings(container.get("ports"))):
        host, inner = integer(port.get("hostPort")), integer(port.get("containerPort"))
        if shared and host is None:
            host = inner
        if host is None or host == 0:
            continue
        place = (*at, "ports", number)
        if not 1 <= host <= MAX_PORT:
            yield (*place, "hostPort"), f"{host} is not a port", f"Use a number from 1 to {MAX_PORT}."
        elif shared and inner is not None and host != inner:
            yield (*place, "hostPort"), "differs from containerPort, with hostNetwork", "Use the same number."
        key = (host, port.get("protocol") or "TCP", as_string(port.get("hostIP")))
        if key in seen:
            yield place, f"port {host} of the host is taken already in this pod", "Use another port."
        seen.add(key)


def _environment(container: Body, at: Path) -> Iterator[Fault]:
    for number, entry in enumerate(as_mappings(container.get("env"))):
        place, name = (*at, "env", number), entry.get("name")
        if isinstance(name, str) and (not name or "=" in name or any(not " " <= letter <= "~" for letter in name)):
            hint = "Use printable ASCII characters except `=`."
            yield (*place, "name"), f"`{name[:80]}` is not a valid name of a variable", hint
        source = entry.get("valueFrom")
        if not isinstance(source, dict):
            continue
        if entry.get("value") not in (None, ""):
            yield place, "has `value` and `valueFrom`", "Keep one of them."
        count = sum(source.get(field) is not None for field in _SOURCES)
        if count != 1:
            yield (*place, "valueFrom"), f"has {count} sources", f"Set exactly one of: {', '.join(_SOURCES)}."


def extended(name: str) -> bool:
    """Whether a resource is counted in whole devices, such as `nvidia.com/gpu`."""
    return "/" in name and "kubernetes.io/" not in name.partition("/")[0] + "/"


def _resources(resources: Body, at: Path) -> Iterator[Fault]:
    limits, requests = as_mapping(resources.get("limits")), as_mapping(resources.get("requests"))
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            yield from _amount(name, value, (*at, field, name))
    for name, value in requests.items():
        request, limit = _parsed(value), _parsed(limits.get(name))
        place = (*at, "requests", name)
        whole = extended(name) or name.startswith("hugepages-")
        if limits.get(name) is None:
            if whole:
                hint = f"Set `limits` of {name[:80]} to the same amount."
                yield place, "needs a limit, since it cannot be overcommitted", hint
        elif request is not None and limit is not None and (request > limit or (whole and request != limit)):
            word = "must equal the limit" if whole else "is more than the limit"
            hint = "Set both to the same amount." if whole else "Lower the request, or raise the limit."
            yield place, f"{str(value)[:40]} {word} {str(limits[name])[:40]}", hint


def _amount(name: str, value: Any, place: Path) -> Iterator[Fault]:  # noqa: ANN401 - JSON of any form
    amount = _parsed(value)
    if "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        hint = "Use cpu, memory, ephemeral-storage, or a name with a domain such as nvidia.com/gpu."
        yield place, f"`{name[:80]}` is not a resource of a container", hint
    elif amount is not None and amount < 0:
        yield place, f"{str(value)[:40]} is negative", "Use zero or more."
    elif amount is not None and extended(name) and amount.denominator != 1:
        yield place, f"{str(value)[:40]} is not a whole number", "Devices are counted: use a whole number."


def _parsed(value: Any) -> Fraction | None:  # noqa: ANN401 - JSON of any form
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = parse(str(value))
    return None if found is None else found.amount


def _probe(probe: Body, at: Path) -> Iterator[Fault]:
    present = [name for name in _HANDLERS if probe.get(name) is not None]
    if len(present) > 1:
        yield at, f"has {' and '.join(f'`{name}`' for name in present)}", "Keep one of them."
    elif not present:
        yield at, "has no handler", f"Set one of: {', '.join(_HANDLERS)}."
    fields = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    yield from at_least(probe, at, 0, *fields)
    kind = at[-1]
    threshold = integer(probe.get("successThreshold"))
    if kind != "readinessProbe" and threshold is not None and threshold > 1:
        yield (*at, "successThreshold"), f"must be 1 in a {kind}", "Use 1, or remove it."
    if kind == "readinessProbe" and probe.get("terminationGracePeriodSeconds") is not None:
        yield (*at, "terminationGracePeriodSeconds"), "is not allowed in a readinessProbe", "Remove it."
    for handler in ("httpGet", "tcpSocket"):
        value = as_mapping(probe.get(handler))
        if "port" in value:
            yield from port_reference(value["port"], (*at, handler, "port"))


def _volume(volume: Body, at: Path) -> Iterator[Fault]:
    name = volume.get("name")
    if isinstance(name, str) and not dns_label(name):
        yield (*at, "name"), f"`{name[:80]}` is not a valid name of a volume", "Use a-z, 0-9 and `-`; 63 at most."
    yield from exclusive(volume, at, *(field for field in volume if field != "name"))


def _toleration(toleration: Body, at: Path) -> Iterator[Fault]:
    operator = as_string(toleration.get("operator")) or "Equal"
    if not toleration.get("key") and operator != "Exists":
        yield at, f"has no key, and the operator `{operator}`", "Set `key`, or `operator: Exists`."
    if operator == "Exists" and toleration.get("value"):
        yield (*at, "value"), "`Exists` takes no value", "Remove `value`."
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        yield (*at, "tolerationSeconds"), "needs the effect NoExecute", "Set `effect: NoExecute`, or remove it."
