"""Placement: on which nodes pods run, and what they get there. One shape for every pod that the compiler writes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import (
    Amount,
    Bool,
    FolderPath,
    Int,
    Label,
    LabelKey,
    LabelValue,
    ObjectName,
    ResourceName,
    SecretKeyName,
    Storage,
    Text,
    VariableName,
)
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

MAX_ITEMS = 64
SubPath = Annotated[Text, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/-]*$")]
HttpUrl = Annotated[Text, Field(max_length=1024, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\w./-]*)?$")]
Weight = Annotated[Int, Field(ge=1, le=100)]


class ResourcesSpec(PolicyModel):
    """Kubernetes resource quantities."""

    requests: dict[ResourceName, Amount] = {}
    limits: dict[ResourceName, Amount] = {}


class TolerationSpec(PolicyModel):
    """A taint that the pods tolerate. Without ``value``, any value of the taint."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[Int, Field(ge=0, le=2**31)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> TolerationSpec:
        if self.operator == "Exists" and self.value is not None:
            raise PydanticCustomError("one_of", "`operator: Exists` takes no `value`")
        if self.operator == "Equal" and self.value is None:
            raise PydanticCustomError("one_of", "`operator: Equal` needs a `value`")
        if self.key is None and (self.operator != "Exists" or self.value is not None):
            raise PydanticCustomError("one_of", "a toleration without `key` needs `operator: Exists`")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise PydanticCustomError("one_of", "`tolerationSeconds` needs `effect: NoExecute`")
        return self


class RequirementSpec(PolicyModel):
    """A requirement on the labels of a node."""

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: Annotated[list[LabelValue], Field(max_length=MAX_ITEMS)] = []

    @model_validator(mode="after")
    def _values(self) -> RequirementSpec:
        if self.operator in {"In", "NotIn"} and not self.values:
            raise PydanticCustomError("one_of", "`In` and `NotIn` need `values`")
        if self.operator in {"Exists", "DoesNotExist"} and self.values:
            raise PydanticCustomError("one_of", "`Exists` and `DoesNotExist` take no `values`")
        if self.operator in {"Gt", "Lt"} and not (len(self.values) == 1 and self.values[0].isdecimal()):
            raise PydanticCustomError("one_of", "`Gt` and `Lt` need one integer in `values`")
        return self


class PreferenceSpec(PolicyModel):
    """Nodes that the scheduler prefers, by all of these requirements."""

    weight: Weight = 100
    match: Annotated[list[RequirementSpec], Field(min_length=1, max_length=MAX_ITEMS)]


class NodeAffinitySpec(PolicyModel):
    """Nodes that the pods need, by all of these requirements, and nodes that they prefer."""

    require: Annotated[list[RequirementSpec], Field(max_length=MAX_ITEMS)] = []
    prefer: Annotated[list[PreferenceSpec], Field(max_length=MAX_ITEMS)] = []


class PodsNearSpec(PolicyModel):
    """Pods of the same namespace, by their labels, and the topology that counts as one place.

    Without ``weight`` the scheduler must obey, otherwise it prefers to. Without ``labels`` they are the pods of the
    same Deployment.
    """

    topology: LabelKey = "kubernetes.io/hostname"
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=MAX_ITEMS)] = {}
    weight: Weight | None = None


class AffinitySpec(PolicyModel):
    """Nodes, pods to run beside, and pods to keep away from."""

    nodes: NodeAffinitySpec | None = None
    near: Annotated[list[PodsNearSpec], Field(max_length=MAX_ITEMS)] = []
    apart: Annotated[list[PodsNearSpec], Field(max_length=MAX_ITEMS)] = []


class SpreadSpec(PolicyModel):
    """How the replicas are spread over nodes, zones or other topologies. It replaces the spread over nodes."""

    topology: LabelKey
    max_skew: Annotated[Int, Field(ge=1, le=1000)] = 1
    unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = "ScheduleAnyway"


class KeyReferenceSpec(PolicyModel):
    """A key of a Secret or of a ConfigMap in the namespace of the pods."""

    secret: ObjectName | None = None
    config_map: ObjectName | None = None
    key: SecretKeyName
    optional: Bool = False

    @model_validator(mode="after")
    def _one(self) -> KeyReferenceSpec:
        if (self.secret is None) == (self.config_map is None):
            raise PydanticCustomError("one_of", "a reference is exactly one of `secret` and `configMap`, with a `key`")
        return self


class EmptyDirSpec(PolicyModel):
    """A folder that lives as long as the pod, on disk or in memory."""

    size: Storage | None = None
    memory: Bool = False


class VolumeSpec(PolicyModel):
    """A volume and where it is mounted: exactly one of its kinds.

    ``pvc`` is an existing claim in the namespace of the pods, which several servers may share. Volumes of the node
    (``hostPath``) are no kind: Pod Security does not admit them.
    """

    name: Label
    mount: FolderPath
    sub_path: (
        Annotated[Text, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/-]*$")] | None
    ) = None
    read_only: Bool = False
    pvc: ObjectName | None = None
    empty_dir: EmptyDirSpec | None = None
    config_map: ObjectName | None = None
    secret: ObjectName | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> VolumeSpec:
        kinds = (self.pvc, self.empty_dir, self.config_map, self.secret)
        if sum(kind is not None for kind in kinds) != 1:
            raise PydanticCustomError(
                "one_of", "a volume is exactly one of `pvc`, `emptyDir`, `configMap` and `secret`"
            )
        if self.sub_path is not None and ".." in self.sub_path.split("/"):
            raise PydanticCustomError("one_of", "`subPath` cannot contain `..`")
        return self


Variable = Annotated[
    Annotated[Text, AsText] | Annotated[KeyReferenceSpec, AsMapping],
    by_shape(TEXT, MAPPING),
]


class PlacementSpec(PolicyModel):
    """Where pods run, and what they get there. In sections that have more fields, those come first."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Put the fields of the section itself before those of placement, as reference and formatter show them."""
        fields = cls.__pydantic_fields__
        ordered = sorted(fields, key=lambda name: name not in cls.__annotations__)
        cls.__pydantic_fields__ = {name: fields[name] for name in ordered}

    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=MAX_ITEMS)] | None = None
    tolerations: Annotated[list[TolerationSpec], Field(max_length=MAX_ITEMS)] | None = None
    affinity: AffinitySpec | None = None
    topology_spread: Annotated[list[SpreadSpec], Field(max_length=MAX_ITEMS)] | None = None
    runtime_class: ObjectName | None = None
    priority_class: ObjectName | None = None
    pull_secrets: Annotated[list[ObjectName], Field(max_length=MAX_ITEMS)] | None = None
    env: Annotated[dict[VariableName, Variable], Field(max_length=256)] | None = None
    volumes: Annotated[list[VolumeSpec], Field(max_length=MAX_ITEMS)] | None = None


class StoredPlacementSpec(PlacementSpec):
    """As above, of pods with a volume that the compiler writes."""

    storage_class: ObjectName | None = None


class EnvironmentPlacementSpec(StoredPlacementSpec):
    """What an environment replaces, word by word. ``device`` is that of a model server."""

    device: Text | None = None
