"""Models: the names that clients and routes use."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.endpoints import Endpoint, Provider
from vsr_compiler.ir.identity import ClientTest
from vsr_compiler.ir.names import object_name


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How reasoning is controlled for a family of models: the supported efforts, and whether it can be disabled."""

    family: str
    levels: tuple[str, ...]
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model name, and its endpoints with their weights.

    ``context`` is in tokens. ``base`` is the base model of a LoRA adapter. ``provider_model`` is the provider's name
    for the model. ``price`` is per million tokens, prompt and completion; ``cached_price`` is that of prompt
    tokens in the model's prefix cache. ``allow`` are tests of which a client must pass one; without tests all may.
    """

    name: str
    endpoints: tuple[tuple[Endpoint, int], ...]
    context: int | None
    span: Span
    base: str | None = None
    provider_model: str | None = None
    price: tuple[float, float] | None = None
    cached_price: float | None = None
    reasoning: Reasoning | None = None
    allow: tuple[ClientTest, ...] = ()

    @property
    def object_name(self) -> str:
        """The label used in the names of objects for this model."""
        return object_name(self.name)

    @property
    def served_name(self) -> str:
        """The name in the body of requests that the router sends."""
        return self.provider_model or self.name

    @property
    def external(self) -> bool:
        """Whether a request for it may leave the cluster."""
        return any(isinstance(endpoint.kind, Provider) for endpoint, weight in self.endpoints if weight)

    @property
    def provider(self) -> Endpoint | None:
        """The only endpoint, if that is outside the cluster; otherwise None."""
        only = self.endpoints[0][0] if len(self.endpoints) == 1 else None
        return only if only is not None and isinstance(only.kind, Provider) else None

    @property
    def keyed(self) -> Endpoint | None:
        """The endpoint whose credentials requests carry: that of a provider, or one with a key; otherwise None.

        All endpoints of a model have the same key.
        """
        return self.provider or next((endpoint for endpoint, _ in self.endpoints if endpoint.api_key), None)
