"""Endpoints: the places where models run. ``Endpoint.kind`` is one class per kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.names import object_name
from vsr_compiler.ir.network import API_PATH, ServiceRef
from vsr_compiler.ir.placement import Autoscaling, Placement, Resources
from vsr_compiler.ir.providers import ANY_API, CloudAuth, EndpointKey, ProviderApi
from vsr_schemas.headers import PRIVATE


@dataclass(frozen=True, slots=True)
class VllmServer:
    """A vLLM server whose pods and Service the compiler writes. ``storage`` is a Kubernetes quantity.

    ``loras`` are pairs of a model name and the path of its adapter. ``image`` and ``resources`` replace the defaults of
    the release. ``simulate`` runs the simulator instead of vLLM. ``device`` is a kind of hardware or the name of a
    resource; None is an NVIDIA GPU on nodes without taints. ``claim`` is an existing claim with the weights.
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
    scaled_down_from: int = 0
    """The number of replicas in the base, if an environment sets none."""
    arg_spans: tuple[Span, ...] = ()
    """The positions of the arguments in the policy."""
    placement: Placement = field(default_factory=Placement)
    device: str | None = None
    claim: str | None = None
    autoscaling: Autoscaling | None = None

    @property
    def volume_holders(self) -> int:
        """How many pods mount its volume when not scaled to zero; the access mode of a claim cannot change later."""
        return self.replicas or self.scaled_down_from

    @property
    def most_pods(self) -> int:
        """How many pods may mount its volume, with those that an autoscaler adds."""
        return max(self.volume_holders, self.autoscaling.max if self.autoscaling is not None else 0)

    def arg_span(self, index: int) -> Span:
        """Return the position of an argument."""
        return self.arg_spans[index]


@dataclass(frozen=True, slots=True)
class ExistingService:
    """A Service, with its pods, that exists already. Its address is the endpoint's ``service``."""


@dataclass(frozen=True, slots=True)
class ExistingPods:
    """Pods that exist already, by their labels, with the port that they listen on. The compiler writes the Service."""

    labels: tuple[tuple[str, str], ...]
    port: int


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider outside the cluster.

    ``path`` is the path prefix of its API, without a trailing slash. ``gets_client_headers``: headers about the client
    and the decision reach it. ``auth`` are credentials of a cloud; a static key is the endpoint's ``api_key``.
    """

    host: str
    port: int
    path: str
    gets_client_headers: bool = False
    api: ProviderApi = ANY_API
    auth: CloudAuth | None = None

    @property
    def hidden_headers(self) -> tuple[str, ...]:
        """The request headers that the gateway removes on the way to it."""
        return () if self.gets_client_headers else PRIVATE

    @property
    def object_name(self) -> str:
        """The label used in the names of objects for its host."""
        return object_name(self.host)

    @property
    def has_own_path(self) -> bool:
        """Whether the path prefix of its API differs from the one that clients of the gateway use."""
        return self.path != API_PATH


@dataclass(frozen=True, slots=True)
class ExistingPool:
    """An InferencePool that exists already, with its endpoint picker and its pods.

    ``port`` is that of its pods, if the policy says so. Its name and namespace are those of the endpoint's ``service``.
    """

    port: int | None = None


@dataclass(frozen=True, slots=True)
class ForeignRoute:
    """A route of others, which matches this value of the routing header. Only an existing Gateway has such routes."""

    value: str


EndpointKind = VllmServer | ExistingService | ExistingPods | Provider | ExistingPool | ForeignRoute


@dataclass(frozen=True, slots=True)
class Picker:
    """The endpoint picker of a pool: pairs of a scorer and its weight; empty for the default of the release."""

    plugins: tuple[tuple[str, float], ...] = ()
    replicas: int = 1
    placement: Placement = field(default_factory=Placement)
    image: str | None = None
    resources: Resources | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """The InferencePool of an endpoint's pods."""

    picker: Picker
    failure_mode: str
    disaggregation: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place where a model runs, reached by ``service``. ``api_key`` is the key that it requires."""

    name: str
    service: ServiceRef
    kind: EndpointKind
    span: Span
    pool: Pool | None = None
    api_key: EndpointKey | None = None
    picker_placement: Placement | None = None
    """What an environment sets for its endpoint picker."""
    region: str | None = None

    @property
    def server(self) -> VllmServer | None:
        """The kind, if it is a server that the compiler writes; otherwise None."""
        return self.kind if isinstance(self.kind, VllmServer) else None

    @property
    def pods(self) -> ExistingPods | None:
        """The kind, if it is a set of existing pods; otherwise None."""
        return self.kind if isinstance(self.kind, ExistingPods) else None

    @property
    def provider(self) -> Provider | None:
        """The kind, if it is a provider outside the cluster; otherwise None."""
        return self.kind if isinstance(self.kind, Provider) else None

    @property
    def existing_pool(self) -> ExistingPool | None:
        """The kind, if it is an InferencePool that exists already; otherwise None."""
        return self.kind if isinstance(self.kind, ExistingPool) else None

    @property
    def route(self) -> ForeignRoute | None:
        """The kind, if it is a route of others; otherwise None."""
        return self.kind if isinstance(self.kind, ForeignRoute) else None

    @property
    def object_name(self) -> str:
        """The label used in the names of objects for this endpoint."""
        return object_name(self.name)

    @property
    def host(self) -> str:
        """The host that serves it, in the cluster or outside."""
        return self.kind.host if isinstance(self.kind, Provider) else self.service.host

    @property
    def credential(self) -> str | None:
        """The file of the API key, relative to the router's credentials folder; None without a key."""
        return f"{self.object_name}/api-key" if self.api_key is not None else None
