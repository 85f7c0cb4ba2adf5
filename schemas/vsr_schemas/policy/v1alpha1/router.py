"""``router`` and ``gateway``: the router and the Gateway."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.autoscaling import AutoscalingSpec
from vsr_schemas.policy.v1alpha1.cache_store import CacheStoreSpec
from vsr_schemas.policy.v1alpha1.candidate import CandidateSpec
from vsr_schemas.policy.v1alpha1.encoders import EncoderSpec
from vsr_schemas.policy.v1alpha1.listeners import Listeners
from vsr_schemas.policy.v1alpha1.placement import ResourcesSpec, StoredPlacementSpec
from vsr_schemas.policy.v1alpha1.rollout import RolloutSpec
from vsr_schemas.scalars import (
    TOKEN_SECRET,
    Bool,
    Bytes,
    HeaderName,
    HostPort,
    Image,
    Int,
    Label,
    Milliseconds,
    Name,
    Origin,
    Release,
    Text,
)
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

Count = Annotated[Int, Field(ge=1, le=1000)]


class WeightsSpec(PolicyModel):
    """The volume with classifier checkpoints.

    ``pvc`` is an existing PersistentVolumeClaim in the router's namespace, with checkpoints at ``<repo>/<revision>``.
    Without it, the compiler writes a claim and an init container that downloads them; ``token`` is the name of the
    Secret with the Hugging Face token for it under the key ``token``. The Secret is optional.
    """

    pvc: Label | None = None
    token: Label = TOKEN_SECRET


class RouterSpec(StoredPlacementSpec):
    """The router, and the limits that it shares with the gateway.

    ``deadline`` (milliseconds) is the message timeout of the gateway and the time budget of the runtime. ``max_body``
    (bytes) is the buffer of the gateway and the limit of the runtime. ``auto_models`` are the names with which clients
    let the router choose. ``image`` is optional for ``semantic-router``, whose releases have one. That engine evaluates
    no guard on requests that name a model: ``unguarded: explicit-models`` accepts this. ``response_headers`` sets
    whether responses report the decision: never, always, or on requests with ``x-vsr-debug: true``.
    ``access_log_metadata`` sets whether the gateway's access logs can contain the decision. ``reload`` sets whether a
    changed configuration replaces the pods or is read by running ones.
    """

    image: Image | None = None
    engine: Literal["vsr-runtime", "semantic-router"] = "vsr-runtime"
    namespace: Label = "vllm-semantic-router-system"
    replicas: Count = 2
    gpus: Annotated[Int, Field(ge=0, le=16)] = 0
    weights: WeightsSpec | None = None
    unguarded: Literal["explicit-models"] | None = None
    auto_models: Annotated[list[Name], Field(min_length=1)] = ["auto", "MoM"]
    deadline: Annotated[Milliseconds, Field(le=600_000)] = 1000
    max_body: Annotated[Bytes, Field(ge=1024, le=2**30)] = 8 * 2**20
    on_failure: Literal["deny", "default-model"] = "deny"
    response_headers: Literal["never", "on-request", "always"] = "never"
    access_log_metadata: Bool = False
    overflow: Literal["route", "reject"] = "route"
    reload: Literal["rollout", "hot"] = "rollout"
    rollout: RolloutSpec | None = None
    resources: ResourcesSpec | None = None
    autoscaling: AutoscalingSpec | None = None
    cache: CacheStoreSpec | None = None
    candidate: CandidateSpec | None = None
    encoder: EncoderSpec | None = None

    @model_validator(mode="after")
    def _engine(self) -> RouterSpec:
        if self.engine == "vsr-runtime" and self.image is None:
            raise PydanticCustomError("one_of", "`engine: vsr-runtime` needs an `image`")
        if self.engine == "vsr-runtime" and self.unguarded is not None:
            raise PydanticCustomError("one_of", "`unguarded` is only for `engine: semantic-router`")
        if self.engine == "semantic-router" and self.encoder is not None:
            raise PydanticCustomError("one_of", "`encoder` is only for `engine: vsr-runtime`")
        if self.engine == "semantic-router" and self.reload == "hot":
            raise PydanticCustomError("one_of", "`reload: hot` is only for `engine: vsr-runtime`")
        if self.engine == "semantic-router" and self.candidate is not None:
            raise PydanticCustomError("one_of", "`candidate` is only for `engine: vsr-runtime`")
        return self


class CorsSpec(PolicyModel):
    """The pages that may call the gateway from a browser. ``max_age`` is in milliseconds."""

    allow_origins: Annotated[list[Origin], Field(min_length=1)]
    allow_headers: list[HeaderName] = ["*"]
    expose_headers: list[HeaderName] = []
    allow_credentials: Bool = False
    max_age: Annotated[Milliseconds, Field(ge=1000)] = 600_000

    @model_validator(mode="after")
    def _explicit(self) -> CorsSpec:
        if self.allow_credentials and "*" in self.allow_origins:
            raise PydanticCustomError(
                "one_of", "`allowCredentials` needs a list of origins: with `*` any page could act for its visitors"
            )
        return self


class GatewaySpec(PolicyModel):
    """The Gateway that receives the traffic. ``timeout`` (milliseconds) bounds a whole request and its stream."""

    name: Label = "inference-gateway"
    namespace: Label = "default"
    versions: Annotated[
        Annotated[Text, AsText] | Annotated[dict[Name, Release], AsMapping],
        by_shape(TEXT, MAPPING),
    ] = "current"
    timeout: Milliseconds = 300_000
    listeners: Listeners | None = None
    cors: CorsSpec | None = None
    redis: HostPort | None = None
