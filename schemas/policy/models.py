"""``endpoints`` and ``models``: where models run, and what clients and routes can name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.policy.base import Noun
from schemas.scalars import Header, Int, Label, Port, Text
from schemas.shapes import LIST, MAPPING, AsList, AsMapping, by_shape

Weight = Annotated[Int, Field(ge=0, le=1_000_000)]
Storage = Annotated[Text, Field(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$")]


class Vllm(Noun):
    """Pods that the compiler writes: a vLLM server for exactly one checkpoint.

    ``storage`` is the size of the volume that keeps the weights between restarts. ``token`` names the Secret that
    holds the Hugging Face token under the key ``token``. ``args`` are added to the server's; those that set served
    names are refused, since those are the compiler's.
    """

    namespace: Label | None = None
    gpus: Annotated[Int, Field(ge=1, le=64)] = 1
    replicas: Annotated[Int, Field(ge=1, le=1000)] = 1
    storage: Storage = "40Gi"
    token: Label = "hf-token-secret"  # noqa: S105 - the Secret's name, not a secret
    args: list[Text] = []


class Service(Noun):
    """A Service that exists already. ``namespace`` defaults to the gateway's."""

    name: Label
    namespace: Label | None = None
    port: Port = 80


class Endpoint(Noun):
    """A place where a model runs: exactly one of its kinds."""

    vllm: Vllm | None = None
    service: Service | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Endpoint:
        if sum(kind is not None for kind in (self.vllm, self.service)) != 1:
            raise PydanticCustomError("one_of", "an endpoint is exactly one of `vllm` and `service`")
        return self


class Model(Noun):
    """What clients and routes can name. Several endpoints: the gateway divides by weight."""

    endpoints: Annotated[
        Annotated[list[Text], Field(min_length=1), AsList]
        | Annotated[dict[Text, Weight], Field(min_length=1), AsMapping],
        by_shape(LIST, MAPPING),
    ]
    checkpoint: Header | None = None
    context: Annotated[Int, Field(ge=1)] | None = None
