"""``router`` and ``gateway``: who classifies, and what carries the traffic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.policy.base import Noun
from schemas.scalars import Bytes, Image, Int, Label, Milliseconds, Name

Count = Annotated[Int, Field(ge=1, le=1000)]


class Router(Noun):
    """Who classifies, and the numbers that it shares with the gateway.

    ``deadline`` (milliseconds) is the gateway's message timeout and the runtime's budget; ``max_body`` (bytes) is the
    gateway's buffer and the runtime's limit. ``auto_models`` are the names by which a client lets the router choose.
    """

    image: Image
    engine: Literal["vsr-runtime"] = "vsr-runtime"
    namespace: Label = "vllm-semantic-router-system"
    replicas: Count = 2
    auto_models: Annotated[list[Name], Field(min_length=1)] = ["auto", "MoM"]
    deadline: Milliseconds = 1000
    max_body: Annotated[Bytes, Field(ge=1024, le=2**30)] = 8 * 2**20
    on_failure: Literal["deny"] = "deny"


class Gateway(Noun):
    """The Gateway that carries the traffic. ``timeout`` (milliseconds) bounds a whole request, stream included."""

    name: Label = "inference-gateway"
    namespace: Label = "default"
    versions: Literal["current"] = "current"
    timeout: Milliseconds = 300_000
