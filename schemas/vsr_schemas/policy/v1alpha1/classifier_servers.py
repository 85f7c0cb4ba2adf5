"""``classifiers.*.server``: a server that classifies text for the router."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.inference_servers import ServerProtocol
from vsr_schemas.policy.v1alpha1.providers import SecretKeySpec
from vsr_schemas.scalars import ApiUrl, HeaderName, Int, Label, Milliseconds, ObjectName, ServiceAddress, Text, shown

Word = Annotated[Text, Field(min_length=1, max_length=256)]


class ServerKeySpec(SecretKeySpec):
    """An API key and the header that carries it. ``authorization`` carries it after ``Bearer``."""

    header: HeaderName = "authorization"


class ClassifierServerSpec(PolicyModel):
    """A server that classifies text: Presidio, a moderation API, or an inference server.

    It is a ``service`` in the cluster or has the ``url`` of an API. ``outputs`` are the model's outputs in order, for
    protocols whose answers have no labels. ``labels`` are those of a detector of attacks that count. ``timeout`` bounds
    one evaluation, ``concurrency`` the requests of one router process at a time, and ``window`` the characters that the
    server reads at a time. ``ca`` is a ConfigMap with the certificates of the server's authority under ``ca.crt``.
    """

    protocol: ServerProtocol
    service: ServiceAddress | None = None
    url: ApiUrl | None = None
    model: Word | None = None
    config: Word | None = None
    language: Annotated[Text, shown(r"[a-z]{2,3}", "a language code, such as `en`")] | None = None
    outputs: Annotated[list[Word], Field(min_length=1, max_length=1000)] | None = None
    labels: Annotated[list[Word], Field(min_length=1, max_length=100)] | None = None
    timeout: Annotated[Milliseconds, Field(le=60_000)] = 500
    concurrency: Annotated[Int, Field(ge=1, le=1024)] = 16
    window: Annotated[Int, Field(ge=50, le=1_000_000)] | None = None
    api_key: ServerKeySpec | None = None
    ca: ObjectName | None = None
    region: Label | None = None

    @model_validator(mode="after")
    def _one_address(self) -> ClassifierServerSpec:
        if (self.service is None) == (self.url is None):
            raise PydanticCustomError("one_of", "a server has a `service` or a `url`")
        if self.ca is not None and self.url is None:
            raise PydanticCustomError("one_of", "`ca` is for a `url`; a `service` is reached without TLS")
        return self
