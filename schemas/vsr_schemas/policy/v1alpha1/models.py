"""``endpoints`` and ``models``: where models run, and the names that clients and routes use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.apis import ApiName
from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.attach import RouteValue
from vsr_schemas.policy.v1alpha1.autoscaling import AutoscalingSpec
from vsr_schemas.policy.v1alpha1.clients import ClientSpec
from vsr_schemas.policy.v1alpha1.placement import PlacementSpec, ResourcesSpec, StoredPlacementSpec
from vsr_schemas.policy.v1alpha1.providers import CloudAuthSpec, ProviderKeySpec, SchemaName, SecretKeySpec
from vsr_schemas.scalars import (
    TOKEN_SECRET,
    ApiUrl,
    Bool,
    Header,
    Image,
    Int,
    Label,
    Name,
    Number,
    ObjectName,
    Port,
    ServiceAddress,
    Storage,
    Text,
)
from vsr_schemas.shapes import LIST, MAPPING, TEXT, AsList, AsMapping, AsText, by_shape

Weight = Annotated[Int, Field(ge=0, le=1_000_000)]


class ServerWeightsSpec(PolicyModel):
    """An existing claim in the namespace of the pods that keeps the weights. Several servers may share it."""

    pvc: ObjectName


class VllmSpec(StoredPlacementSpec):
    """Pods that the compiler writes: a vLLM server for exactly one checkpoint.

    ``storage`` is the size of the volume that keeps the weights between restarts; ``weights`` is an existing one
    instead. ``token`` is the name of the Secret with the Hugging Face token under the key ``token``. ``args`` are added
    to the server's arguments; arguments that the compiler sets itself, such as served names, are rejected. ``device``
    is a kind of hardware, or the name of a device's resource. ``api_key`` is the key that clients of the server need.
    """

    namespace: Label | None = None
    gpus: Annotated[Int, Field(ge=1, le=64)] = 1
    replicas: Annotated[Int, Field(ge=1, le=1000)] = 1
    storage: Storage = "40Gi"
    token: Label = TOKEN_SECRET
    args: list[Text] = []
    device: Text | None = None
    image: Image | None = None
    resources: ResourcesSpec | None = None
    weights: ServerWeightsSpec | None = None
    autoscaling: AutoscalingSpec | None = None
    api_key: SecretKeySpec | None = None

    @model_validator(mode="after")
    def _one_volume(self) -> VllmSpec:
        if self.weights is not None and self.model_fields_set & {"storage", "storage_class"}:
            raise PydanticCustomError("one_of", "`weights.pvc` exists, so it has no `storage` or `storageClass`")
        return self


class ServiceSpec(PolicyModel):
    """A Service that exists already. ``namespace`` defaults to the gateway's. ``api_key`` is that of its servers."""

    name: Label
    namespace: Label | None = None
    port: Port = 80
    api_key: SecretKeySpec | None = None


class PodsSpec(PolicyModel):
    """Pods that exist already, selected by their labels. ``api_key`` is that of their servers."""

    selector: Annotated[dict[Text, Text], Field(min_length=1, max_length=64)]
    namespace: Label | None = None
    port: Port = 8000
    api_key: SecretKeySpec | None = None


class ExternalSpec(PolicyModel):
    """A provider outside the cluster, reached over TLS.

    ``url`` is the URL of its API; the path defaults to ``/v1``, and a query is sent with every request. ``schema`` is
    its API; without it, the provider may have every API. ``apis`` are those that it serves, if they are fewer.
    ``api_key`` and the Secrets of ``auth`` are in the router's namespace.
    """

    url: ApiUrl
    schema_: Annotated[SchemaName | None, Field(alias="schema")] = None
    apis: Annotated[list[ApiName], Field(min_length=1)] | None = None
    api_key: ProviderKeySpec | None = None
    auth: CloudAuthSpec | None = None
    client_headers: Literal["remove", "keep"] = "remove"

    @model_validator(mode="after")
    def _one_credential(self) -> ExternalSpec:
        if self.api_key is not None and self.auth is not None:
            raise PydanticCustomError("one_of", "a provider has an `apiKey` or an `auth`, not both")
        return self


class PickerSpec(PlacementSpec):
    """The endpoint picker of a pool: scorers and their weights. The default is that of the release."""

    plugins: dict[Name, Annotated[Number, Field(gt=0, le=1000)]] = {}
    replicas: Annotated[Int, Field(ge=1, le=10)] = 1
    image: Image | None = None
    resources: ResourcesSpec | None = None


class PoolSpec(PolicyModel):
    """The InferencePool of an endpoint's pods, on targets that use one.

    ``existing`` is the name of one that others run, with its endpoint picker; ``port`` is that of its pods.
    """

    picker: PickerSpec = PickerSpec()
    failure_mode: Literal["FailClose", "FailOpen"] = "FailClose"
    disaggregation: Bool = False
    existing: Label | None = None
    namespace: Label | None = None
    port: Port | None = None

    @model_validator(mode="after")
    def _one_owner(self) -> PoolSpec:
        if self.existing is None and self.model_fields_set & {"namespace", "port"}:
            raise PydanticCustomError("one_of", "`namespace` and `port` are only for an `existing` pool")
        if self.existing is not None and self.model_fields_set - {"existing", "namespace", "port"}:
            raise PydanticCustomError(
                "one_of", "an `existing` pool has its own picker and settings: it has only `namespace` and `port`"
            )
        return self


class EndpointSpec(PolicyModel):
    """A place where a model runs: exactly one of its kinds. ``service: name:port`` is short for a mapping."""

    vllm: VllmSpec | None = None
    service: (
        Annotated[
            Annotated[ServiceAddress, AsText] | Annotated[ServiceSpec, AsMapping],
            by_shape(TEXT, MAPPING),
        ]
        | None
    ) = None
    pods: PodsSpec | None = None
    external: ExternalSpec | None = None
    pool: PoolSpec | None = None
    route: RouteValue | None = None
    region: Label | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> EndpointSpec:
        kinds = self.model_fields_set.intersection(("vllm", "service", "pods", "external", "route"))
        if self.pool is not None and self.pool.existing is not None:
            kinds |= {"pool.existing"}
        if len(kinds) != 1:
            raise PydanticCustomError(
                "one_of",
                "an endpoint is exactly one of `vllm`, `service`, `pods`, `external`, `pool.existing` and `route`",
            )
        return self


class LoraSpec(PolicyModel):
    """A LoRA adapter that a vLLM server loads in addition to its checkpoint. Its name is a model name."""

    path: Annotated[Text, Field(min_length=1, max_length=1024)]


class PriceSpec(PolicyModel):
    """The price of a million tokens, in any currency that the policy uses throughout.

    ``cached_prompt`` is that of prompt tokens which the model finds in its prefix cache.
    """

    prompt: Annotated[Number, Field(ge=0)]
    completion: Annotated[Number, Field(ge=0)]
    cached_prompt: Annotated[Number, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _discount(self) -> PriceSpec:
        if self.cached_prompt is not None and self.cached_prompt > self.prompt:
            raise PydanticCustomError("one_of", "`cachedPrompt` is greater than `prompt`")
        return self


class ModelSpec(PolicyModel):
    """A model name that clients and routes use. With several endpoints, the gateway splits traffic by weight.

    ``context`` is in tokens. ``provider_model`` is the provider's name for the model, if it differs.
    ``reasoning_family`` selects how reasoning is switched on. ``allow`` are the clients that may use the model.
    """

    endpoints: Annotated[
        Annotated[Text, AsText]
        | Annotated[list[Text], Field(min_length=1), AsList]
        | Annotated[dict[Text, Weight], Field(min_length=1), AsMapping],
        by_shape(TEXT, LIST, MAPPING),
    ]
    checkpoint: Header | None = None
    provider_model: Header | None = None
    loras: dict[Header, LoraSpec] = {}
    context: Annotated[Int, Field(ge=1)] | None = None
    price: PriceSpec | None = None
    reasoning_family: Text | None = None
    allow: ClientSpec | None = None
