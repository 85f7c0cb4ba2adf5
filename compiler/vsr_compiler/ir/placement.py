"""Placement: on which nodes pods run, and what they get there. One shape for every pod that the compiler writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Resources:
    """Kubernetes resource quantities by name."""

    requests: Mapping[str, str]
    limits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that pods tolerate, with the fields of Kubernetes; None for one that is not set."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement on the labels of a node."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearbyPods:
    """Pods by their labels, and the topology that counts as one place. Empty labels are the pods' own.

    Without a weight, it is a requirement.
    """

    topology: str
    labels: tuple[tuple[str, str], ...] = ()
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Affinity:
    """Nodes that pods need or prefer (by weight), and pods that they run beside or keep away from."""

    required: tuple[Requirement, ...] = ()
    preferred: tuple[tuple[int, tuple[Requirement, ...]], ...] = ()
    near: tuple[NearbyPods, ...] = ()
    apart: tuple[NearbyPods, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """How replicas are spread over a topology."""

    topology: str
    max_skew: int
    unsatisfiable: str


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A key of a Secret or a ConfigMap in the namespace of the pods."""

    kind: Literal["secret", "configMap"]
    name: str
    key: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable: its value, or where the value is."""

    name: str
    value: str | KeyReference


@dataclass(frozen=True, slots=True)
class Claim:
    """An existing PersistentVolumeClaim."""

    name: str


@dataclass(frozen=True, slots=True)
class EmptyDir:
    """A folder that lives as long as the pod."""

    size: str | None = None
    memory: bool = False


@dataclass(frozen=True, slots=True)
class Mounted:
    """A Secret or a ConfigMap as a folder of files."""

    kind: Literal["secret", "configMap"]
    name: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the pods, and where it is mounted."""

    name: str
    mount: str
    source: Claim | EmptyDir | Mounted
    sub_path: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where pods run, and what they get there. None is what the policy does not say."""

    node_selector: tuple[tuple[str, str], ...] | None = None
    tolerations: tuple[Toleration, ...] | None = None
    affinity: Affinity | None = None
    spread: tuple[Spread, ...] | None = None
    runtime_class: str | None = None
    priority_class: str | None = None
    pull_secrets: tuple[str, ...] | None = None
    env: tuple[Variable, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    storage_class: str | None = None

    def replaced_by(self, other: Placement) -> Placement:
        """Return the placement with what another one says, word by word."""
        placed = {item.name: getattr(other, item.name) for item in fields(other)}
        changed = {name: value for name, value in placed.items() if value is not None}
        return replace(self, **changed) if changed else self

    @property
    def existing(self) -> Iterator[tuple[str, str]]:
        """Kind and name of the claims and ConfigMaps that it refers to. Secrets are never among checked objects."""
        for volume in self.volumes or ():
            if isinstance(volume.source, Claim):
                yield ("PersistentVolumeClaim", volume.source.name)
            elif isinstance(volume.source, Mounted) and volume.source.kind == "configMap":
                yield ("ConfigMap", volume.source.name)
        for variable in self.env or ():
            if isinstance(variable.value, KeyReference) and variable.value.kind == "configMap":
                yield ("ConfigMap", variable.value.name)


@dataclass(frozen=True, slots=True)
class EnvironmentPlacement:
    """What an environment sets for the pods of an endpoint, of the router, or of all pickers."""

    placement: Placement
    device: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """The bounds of a component that scales pods. ``min`` is None for the number of replicas.

    ``queue`` is the number of waiting requests for each pod. ``prometheus`` is the URL of the server with the metric.
    ``scale_down_after`` is in seconds; None for Kubernetes' default.
    """

    min: int | None
    max: int
    queue: int
    prometheus: str | None
    span: Span
    scale_down_after: int | None = None
