"""``environments``: the same routing on another target or scale. Nothing here changes routing decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.attach import Controller, Convention
from vsr_schemas.policy.v1alpha1.candidate import CandidateSpec
from vsr_schemas.policy.v1alpha1.hosts import HostSpec
from vsr_schemas.policy.v1alpha1.identity import EnvironmentIdentitySpec
from vsr_schemas.policy.v1alpha1.listeners import Hostnames, ListenerName
from vsr_schemas.policy.v1alpha1.placement import EnvironmentPlacementSpec, ResourcesSpec
from vsr_schemas.policy.v1alpha1.rollout import EnvironmentRollout
from vsr_schemas.scalars import Bool, Image, Int, Label, Name, Release, RoutingHeader, ServerUrl, Text
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

Target = Label
"""The name of a target. The compiler knows which targets exist."""


class EnvironmentGatewaySpec(PolicyModel):
    """The Gateway of this environment, if it differs. ``hostnames`` replaces those of listeners, by their names.

    ``controller`` runs a Gateway that exists already, to which the target attach adds the router.
    """

    name: Label | None = None
    namespace: Label | None = None
    controller: Controller | None = None
    hostnames: Annotated[dict[ListenerName, Hostnames], Field(max_length=16)] = {}


class EnvironmentClusterSpec(PolicyModel):
    """What differs on one of the clusters of an environment, word by word as in the environment."""

    replicas: dict[Name, Annotated[Int, Field(ge=0, le=1000)]] = {}
    images: dict[Name, Image] = {}
    resources: dict[Name, ResourcesSpec] = {}
    placement: dict[Name, EnvironmentPlacementSpec] = {}
    device: Literal["cpu", "cuda"] | None = None
    gateway: EnvironmentGatewaySpec = EnvironmentGatewaySpec()
    identity: EnvironmentIdentitySpec | None = None
    region: Label | None = None


class EnvironmentSpec(PolicyModel):
    """An overlay.

    ``replicas``, ``images``, ``resources`` and ``placement`` are by endpoint; the key ``router`` is the router, and in
    ``placement`` the key ``pickers`` means all endpoint pickers. ``simulate`` replaces model servers by a simulator, so
    that no GPU is needed. ``to`` and ``header`` are for the target attach: whose routes lead to the models, and by
    which header.
    ``host`` is the machine of the target compose.
    """

    target: Target = "istio"
    to: Convention | None = None
    header: RoutingHeader | None = None
    versions: (
        Annotated[Annotated[Text, AsText] | Annotated[dict[Name, Release], AsMapping], by_shape(TEXT, MAPPING)] | None
    ) = None
    simulate: Bool = False
    replicas: dict[Name, Annotated[Int, Field(ge=0, le=1000)]] = {}
    images: dict[Name, Image] = {}
    resources: dict[Name, ResourcesSpec] = {}
    placement: dict[Name, EnvironmentPlacementSpec] = {}
    device: Literal["cpu", "cuda"] | None = None
    rollout: EnvironmentRollout | None = None
    server: ServerUrl | None = None
    gateway: EnvironmentGatewaySpec = EnvironmentGatewaySpec()
    identity: EnvironmentIdentitySpec | None = None
    region: Label | None = None
    host: HostSpec | None = None
    candidate: CandidateSpec | None = None
    clusters: Annotated[dict[Label, EnvironmentClusterSpec], Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> EnvironmentSpec:
        if self.clusters is not None and self.server is not None:
            raise PydanticCustomError("one_of", "use either `server` or `clusters`")
        return self
