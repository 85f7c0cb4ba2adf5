"""Quadlets: units of systemd that Podman makes services of. They start the same containers as the Compose file.

Sources: containers/podman, pkg/systemd/quadlet/quadlet.go and pkg/systemd/parser/split.go at v4.7.0, the first release
with all of these keys, but for folders of volumes (5.1); systemd.unit(5), systemd.service(5): `%` begins a specifier,
and `$` a variable, in what reaches `ExecStart`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from vsr_compiler.deploy.compose.compose_file import DIGEST
from vsr_compiler.deploy.compose.facts import HOST_NAME, MEBIBYTE, ROUTER_NETWORK
from vsr_compiler.deploy.compose.model import Container, Plan, Volume
from vsr_compiler.manifests.yaml import header

FOLDER = "quadlet"
Section = tuple[str, list[tuple[str, str]]]


def quadlets(plan: Plan) -> dict[str, str]:
    """Return the units of a host by the names of their files."""
    project = plan.project
    units = {
        f"{project}-{name}.network": _unit(_network(project, name, internal=name == ROUTER_NETWORK))
        for name in sorted({name for container in plan.containers for name in container.networks})
    }
    units |= {
        f"{project}-{volume.name}.volume": _unit([("Volume", [("VolumeName", f"{project}-{volume.name}")])])
        for volume in plan.volumes
        if volume.own
    }
    units |= {f"{project}-{item.name}.container": _unit(_container(plan, item)) for item in plan.containers}
    return units


def word(text: str) -> str:
    """Return a text as one word of a unit, which neither systemd nor Podman changes.

    >>> word("100% of $HOME")
    '"100%% of $$HOME"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{plain(escaped)}"'


def qualified(image: str) -> str:
    """Return an image with its registry, which Podman would ask for. A name without a folder may be a local image.

    >>> qualified("vllm/vllm-openai:v0.17.0"), qualified("localhost/a/b:1"), qualified("a:1")
    ('docker.io/vllm/vllm-openai:v0.17.0', 'localhost/a/b:1', 'a:1')
    """
    first, slash, _ = image.partition("/")
    return image if not slash or "." in first or ":" in first or first == "localhost" else f"docker.io/{image}"


def plain(text: str) -> str:
    """Return a text without specifiers and variables of systemd."""
    return text.replace("%", "%%").replace("$", "$$")


def _unit(sections: Iterable[Section]) -> str:
    blocks = ["\n".join([f"[{name}]", *(f"{key}={value}" for key, value in lines)]) for name, lines in sections]
    return header("\n\n".join(blocks) + "\n")


def _network(project: str, name: str, *, internal: bool) -> list[Section]:
    lines = [("NetworkName", f"{project}-{name}")]
    return [("Network", [*lines, ("Internal", "true")] if internal else lines)]


def _container(plan: Plan, container: Container) -> list[Section]:
    after = [f"{plan.project}-{name}.service" for name, _ in container.after]
    unit = [("Description", f"{container.name} of {plan.project}")]
    unit += [(key, name) for name in after for key in ("Requires" if _ends(plan, name) else "Wants", "After")]
    service = (
        [
            ("Type", "oneshot"),
            ("RemainAfterExit", "yes"),
        ]
        if container.once
        else [("Restart", "always"), ("RestartSec", "5")]
    )
    service += [
        ("TimeoutStartSec", "infinity" if container.once else "900"),
        ("TimeoutStopSec", str(container.stop + 10)),
    ]
    sections: list[Section] = [
        ("Unit", unit),
        ("Container", list(_lines(plan, container))),
        ("Service", service),
        ("Install", [("WantedBy", "default.target")]),
    ]
    return sections


def _ends(plan: Plan, service: str) -> bool:
    return any(item.once and service == f"{plan.project}-{item.name}.service" for item in plan.containers)


def _lines(plan: Plan, container: Container) -> Iterator[tuple[str, str]]:
    """Yield the lines of the section [Container]."""
    yield "Image", qualified(container.image)
    yield "ContainerName", f"{plan.project}-{container.name}"
    yield "Exec", " ".join(word(item) for item in container.command)
    if container.user is not None:
        user, _, group = container.user.partition(":")
        yield "User", user
        yield "Group", group
    yield from _mounts(plan, container)
    yield from _settings(plan, container)
    yield from _health(container)
    yield from _bounds(container)
    if container.digest:
        yield "Label", word(f"{DIGEST}={container.digest}")
    yield "LogDriver", "journald"
    yield "PodmanArgs", " ".join(_arguments(container))


def _settings(plan: Plan, container: Container) -> Iterator[tuple[str, str]]:
    for name, value in container.environment:
        yield "Environment", word(f"{name}={value}")
    if container.variables_file is not None:
        yield "EnvironmentFile", f"{plan.secrets_folder}/{container.variables_file}"
    for name in container.networks:
        yield "Network", f"{plan.project}-{name}.network"
    for port in container.ports:
        yield "PublishPort", f"{port.bind}:{port.host}:{port.inner}"


def _bounds(container: Container) -> Iterator[tuple[str, str]]:
    yield "DropCapability", "all"
    yield "NoNewPrivileges", "true"
    yield "ReadOnly", "true" if container.read_only else "false"
    yield "PidsLimit", str(container.limits.pids)
    if container.ports:
        yield "Ulimit", f"nofile={container.limits.files}:{container.limits.files}"
    if container.limits.shared_memory is not None:
        yield "ShmSize", str(container.limits.shared_memory)
    for index in container.devices.nvidia:
        yield "AddDevice", f"nvidia.com/gpu={index}"
    for path in container.devices.files:
        yield "AddDevice", path


def _mounts(plan: Plan, container: Container) -> Iterator[tuple[str, str]]:
    for folder in container.folders:
        yield "Volume", f"../{folder.name}:{folder.target}:ro,z"
    for item in container.secrets:
        yield "Volume", f"{plan.secrets_folder}/{item.path}:{item.target}:ro,z"
    for volume in container.volumes:
        source = _source(plan, volume)
        if volume.folder:
            yield "Mount", f"type=volume,source={source},destination={volume.target},subpath={volume.folder}"
        else:
            yield "Volume", f"{source}:{volume.target}{':ro' if volume.read_only else ''}"
    for path, size in container.scratch:
        yield "Tmpfs", f"{path}:size={size // MEBIBYTE}m,mode=1777"


def _source(plan: Plan, volume: Volume) -> str:
    return f"{plan.project}-{volume.name}.volume" if volume.own else volume.name


def _health(container: Container) -> Iterator[tuple[str, str]]:
    if container.health is not None:
        health = container.health
        yield "HealthCmd", plain(json.dumps(["CMD", *health.command]))
        yield "HealthInterval", f"{health.interval}s"
        yield "HealthTimeout", f"{health.timeout}s"
        yield "HealthRetries", str(health.retries)
        yield "HealthStartPeriod", f"{health.start}s"


def _arguments(container: Container) -> Iterator[str]:
    """Yield options of Podman that the first release with quadlets of this kind has no keys for."""
    yield f"--network-alias={container.alias}"
    yield f"--stop-timeout={container.stop}"
    if container.limits.memory is not None:
        yield f"--memory={container.limits.memory}"
    if container.limits.cpus is not None:
        yield f"--cpus={container.limits.cpus}"
    for group in container.devices.groups:
        yield f"--group-add={group}"
    if container.reaches_host:
        yield f"--add-host={HOST_NAME}:host-gateway"
