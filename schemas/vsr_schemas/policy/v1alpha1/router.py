"""``router``, ``gateway`` and ``gitops``: who classifies, what carries the traffic, what syncs it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import TOKEN_SECRET, Bytes, Image, Int, Label, Milliseconds, Name, Release, ServerUrl, Text
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

Count = Annotated[Int, Field(ge=1, le=1000)]


class WeightsSpec(PolicyModel):
    """Where classifier checkpoints lie.

    ``pvc`` is a PersistentVolumeClaim in the router's namespace that holds them already, at ``<repo>/<revision>``.
    Without one the compiler writes a claim, and an init container fetches them at their revisions; ``token`` names the
    Secret that holds the Hugging Face token for it under the key ``token``, and need not exist.
    """

    pvc: Label | None = None
    token: Label = TOKEN_SECRET


class RouterSpec(PolicyModel):
    """Who classifies, and the numbers that it shares with the gateway.

    ``deadline`` (milliseconds) is the gateway's message timeout and the runtime's budget; ``max_body`` (bytes) is the
    gateway's buffer and the runtime's limit. ``auto_models`` are the names by which a client lets the router choose.
    ``image`` may be left out for the stock router, whose releases have one. That engine guards nothing of a request
    which names its model: ``unguarded: explicit-models`` says that this is accepted. ``response_headers`` is whether
    clients are told what was chosen for them: always, or only those that send ``x-vsr-debug: true``.
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

    @model_validator(mode="after")
    def _engine(self) -> RouterSpec:
        if self.engine == "vsr-runtime" and self.image is None:
            raise PydanticCustomError("one_of", "the engine `vsr-runtime` needs an `image`: a build of the project's")
        if self.engine == "vsr-runtime" and self.unguarded is not None:
            raise PydanticCustomError("one_of", "the engine `vsr-runtime` guards requests that name a model as well")
        return self


class GatewaySpec(PolicyModel):
    """The Gateway that carries the traffic. ``timeout`` (milliseconds) bounds a whole request, stream included."""

    name: Label = "inference-gateway"
    namespace: Label = "default"
    versions: Annotated[
        Annotated[Text, AsText] | Annotated[dict[Name, Release], AsMapping],
        by_shape(TEXT, MAPPING),
    ] = "current"
    timeout: Milliseconds = 300_000


class GitOpsSpec(PolicyModel):
    """The repository that Argo CD reads the output from, and the cluster that it syncs to."""

    repo: Annotated[Text, Field(min_length=1, max_length=1024)]
    revision: Annotated[Text, Field(min_length=1, max_length=256)] = "main"
    path: Annotated[Text, Field(min_length=1, max_length=1024)] = "."
    server: ServerUrl = "https://kubernetes.default.svc"
    namespace: Label = "argocd"
