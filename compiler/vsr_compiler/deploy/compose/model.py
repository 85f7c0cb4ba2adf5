"""Containers of one host, independent of the file format that starts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder beside the Compose file, which containers only read."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume. One that is not ``own`` exists already."""

    name: str
    target: str
    own: bool = True
    read_only: bool = False
    folder: str = ""
    """The folder of the volume; empty for all of it."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file below the host's folder of secrets: the key of a Secret."""

    secret: str
    key: str
    target: str
    purpose: str

    @property
    def path(self) -> str:
        """Its path below the folder of secrets."""
        return f"{self.secret}/{self.key}"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a file of variables, which the host's folder of secrets has: the key of a Secret."""

    name: str
    secret: str
    key: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """A published port: the address and port of the host, and the port of the container."""

    bind: str
    host: int
    inner: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the health of a container is checked. Times are in seconds."""

    command: tuple[str, ...]
    interval: int
    retries: int
    start: int
    timeout: int = 5


@dataclass(frozen=True, slots=True)
class Devices:
    """Devices of the host: indices of NVIDIA GPUs, or device files with the groups that may use them."""

    nvidia: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a container: memory in bytes, CPUs, processes, shared memory in bytes, open files."""

    memory: int | None
    cpus: float | None = None
    pids: int = 1024
    shared_memory: int | None = None
    files: int = 4096


Condition = Literal["service_healthy", "service_completed_successfully"]


@dataclass(frozen=True, slots=True)
class Container:
    """One container.

    Attributes:
        name: Its name in the Compose file, and after that of the project in quadlets.
        alias: Its name in the networks, which is in Envoy's configuration.
        image: The image.
        command: The words of its command.
        user: The numeric user and group; None for that of the image.
        networks: The networks: names without that of the project.
        stop: Seconds between the signal to stop and the end.
        origin: The place in the policy.
        environment: Variables with values, none of which is a secret.
        variables: Variables of the file of variables of this container; empty for no file.
        folders: Folders beside the Compose file.
        volumes: Named volumes.
        secrets: Files of the folder of secrets.
        scratch: Folders in memory, with their size in bytes.
        ports: Published ports.
        health: How its health is checked; None if nothing in the image can do it.
        limits: Its bounds.
        devices: Devices of the host.
        after: Containers that have to be in a condition before it starts.
        read_only: Whether its root file system is read-only.
        once: Whether it ends by itself.
        reaches_host: Whether it has a name for the host.
        digest: What a restart of this container follows.
    """

    name: str
    alias: str
    image: str
    command: tuple[str, ...]
    user: str | None
    networks: tuple[str, ...]
    stop: int
    origin: Span
    environment: tuple[tuple[str, str], ...] = ()
    variables: tuple[Variable, ...] = ()
    folders: tuple[Folder, ...] = ()
    volumes: tuple[Volume, ...] = ()
    secrets: tuple[SecretFile, ...] = ()
    scratch: tuple[tuple[str, int], ...] = ()
    ports: tuple[Port, ...] = ()
    health: Health | None = None
    limits: Limits = Limits(None)
    devices: Devices = Devices()
    after: tuple[tuple[str, Condition], ...] = ()
    read_only: bool = True
    once: bool = False
    reaches_host: bool = False
    digest: str = ""

    @property
    def variables_file(self) -> str | None:
        """The file of variables below the folder of secrets; None for no file."""
        return f"{self.name}.env" if self.variables else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that runs on one host.

    Attributes:
        project: The name of the Compose project, and the beginning of every name in quadlets.
        containers: The containers, in the order in which they start.
    """

    project: str
    containers: tuple[Container, ...]

    @property
    def secrets_folder(self) -> str:
        """The host's folder of secrets, unless the host sets another."""
        return f"/etc/vsr/{self.project}"

    @property
    def volumes(self) -> list[Volume]:
        """The named volumes, each once."""
        found = {volume.name: volume for container in self.containers for volume in container.volumes}
        return [found[name] for name in sorted(found)]

    @property
    def secrets(self) -> list[SecretFile]:
        """The files of the folder of secrets, each once."""
        found = {item.path: item for container in self.containers for item in container.secrets}
        return [found[path] for path in sorted(found)]
