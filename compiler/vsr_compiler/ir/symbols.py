"""Symbols: what objects share is a property here, so it is spelled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.names import object_name

CLUSTER_DOMAIN = "cluster.local"
API_PATH = "/v1"
"""Where clients find every API that is routed."""


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """A port of a Service in the cluster."""

    name: str
    namespace: str
    port: int

    @property
    def host(self) -> str:
        """The fully qualified DNS name."""
        return f"{self.name}.{self.namespace}.svc.{CLUSTER_DOMAIN}"

    @property
    def authority(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def istio_cluster(self) -> str:
        """The name under which Istio's proxies know this port."""
        return f"outbound|{self.port}||{self.host}"

    @property
    def envoy_cluster(self) -> str:
        """The name under which we add this port to the proxies of Envoy Gateway."""
        return f"vsr/{self.namespace}/{self.name}/{self.port}"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port on which the Gateway takes requests."""

    name: str
    port: int
    protocol: str


HTTP = Listener("http", 80, "HTTP")


@dataclass(frozen=True, slots=True)
class Resources:
    """Kubernetes resource quantities by name."""

    requests: Mapping[str, str]
    limits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VllmServer:
    """What a model server that the compiler writes needs to run. ``storage`` is a Kubernetes quantity.

    ``loras`` are pairs of a model's name and the path of its adapter. ``image`` and ``resources`` replace the
    release's; ``simulate`` puts the simulator in the server's place.
    """

    checkpoint: str
    gpus: int
    replicas: int
    storage: str
    token_secret: str
    args: tuple[str, ...]
    loras: tuple[tuple[str, str], ...] = ()
    image: str | None = None
    resources: Resources | None = None
    simulate: bool = False
    stopped_from: int = 0
    """The replicas that it has otherwise, where an environment has none."""

    @property
    def holders(self) -> int:
        """How many pods hold its volume, or would: no claim changes its mode while they are stopped."""
        return self.replicas or self.stopped_from


@dataclass(frozen=True, slots=True)
class PodSet:
    """Pods that exist already: their labels and the port that they listen on."""

    labels: tuple[tuple[str, str], ...]
    port: int


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider outside the cluster. ``secret`` is the name and the key of the Secret with its API key.

    ``path`` is where its API lies, without a slash at the end.
    """

    host: str
    port: int
    path: str
    secret: tuple[str, str] | None

    @property
    def object_name(self) -> str:
        """The label under which objects for its host go."""
        return object_name(self.host)

    @property
    def moved(self) -> bool:
        """Whether its API lies elsewhere than clients of the gateway look for it."""
        return self.path != API_PATH


@dataclass(frozen=True, slots=True)
class Picker:
    """The endpoint picker of a pool: pairs of a scorer and its weight; empty is the release's default."""

    plugins: tuple[tuple[str, float], ...] = ()
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Pool:
    """How an endpoint's pods are pooled."""

    picker: Picker
    failure_mode: str
    disaggregation: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place where a model runs, reached by ``service``.

    ``server`` where the compiler writes the pods, ``pods`` where they exist and only the Service is written,
    ``provider`` where it is outside the cluster.
    """

    name: str
    service: ServiceRef
    server: VllmServer | None
    span: Span
    pods: PodSet | None = None
    provider: Provider | None = None
    pool: Pool | None = None

    @property
    def object_name(self) -> str:
        """The label under which objects for this endpoint go."""
        return object_name(self.name)

    @property
    def host(self) -> str:
        """The host that serves, in the cluster or outside."""
        return self.service.host if self.provider is None else self.provider.host

    @property
    def credential(self) -> str | None:
        """The file with the provider's key, below the router's folder of credentials; None where there is no key."""
        return None if self.provider is None or self.provider.secret is None else f"{self.object_name}/api-key"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How reasoning is switched on for a family of models: which efforts it takes, and whether it can be off."""

    family: str
    levels: tuple[str, ...]
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A name that clients and routes use, and its endpoints with their weights.

    ``base`` is the model that a LoRA adapter belongs to. ``provider_model`` is what the provider calls it.
    """

    name: str
    endpoints: tuple[tuple[Endpoint, int], ...]
    context: int | None
    span: Span
    base: str | None = None
    provider_model: str | None = None
    price: tuple[float, float] | None = None
    reasoning: Reasoning | None = None

    @property
    def object_name(self) -> str:
        """The label under which objects for this model go."""
        return object_name(self.name)

    @property
    def external(self) -> bool:
        """Whether a request for it may leave the cluster."""
        return any(endpoint.provider is not None for endpoint, weight in self.endpoints if weight)

    @property
    def provider(self) -> Endpoint | None:
        """The endpoint of a model that is outside the cluster altogether; None of one that is not."""
        only = self.endpoints[0][0] if len(self.endpoints) == 1 else None
        return only if only is not None and only.provider is not None else None


@dataclass(frozen=True, slots=True)
class Category:
    """One of the mutually exclusive kinds of request."""

    name: str
    description: str
    examples: tuple[str, ...]
    span: Span
    example_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model that reads the request: an encoder with a head compiled from the examples, or a checkpoint.

    ``says_precision`` is whether the policy names the precision; else it is the device's.
    """

    name: str
    task: str
    encoder: str | None
    checkpoint: tuple[str, str] | None
    device: str
    precision: str
    threshold: float | None
    span: Span
    says_precision: bool = False

    @property
    def object_name(self) -> str:
        """The label that its head's file bears."""
        return object_name(self.name)
