"""The linked policy: every reference resolved, every default filled in, every name a symbol. Frozen.

Targets read this and nothing else. Whatever two objects share is a property here, so it is spelled once. Each symbol
carries the place in the policy that it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.diagnostics import Span
from compiler.link.names import object_name

CLUSTER_DOMAIN = "cluster.local"


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


@dataclass(frozen=True, slots=True)
class VllmServer:
    """What a model server that the compiler writes needs to run. ``storage`` is a Kubernetes quantity."""

    checkpoint: str
    gpus: int
    replicas: int
    storage: str
    token_secret: str
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place where a model runs, reached by ``service``. ``server`` where the compiler writes the pods."""

    name: str
    service: ServiceRef
    server: VllmServer | None
    span: Span


@dataclass(frozen=True, slots=True)
class Model:
    """A name that clients and routes use, and its endpoints with their weights."""

    name: str
    endpoints: tuple[tuple[Endpoint, int], ...]
    context: int | None
    span: Span

    @property
    def object_name(self) -> str:
        """The label under which objects for this model go."""
        return object_name(self.name)


@dataclass(frozen=True, slots=True)
class Category:
    """One of the mutually exclusive kinds of request."""

    name: str
    description: str
    examples: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Classifier:
    """The model that tells categories apart: an encoder and a head compiled from the examples."""

    name: str
    encoder: str
    precision: str
    threshold: float | None
    span: Span

    @property
    def object_name(self) -> str:
        """The label that its head's file bears."""
        return object_name(self.name)


@dataclass(frozen=True, slots=True)
class InCategory:
    """Holds when the request has this category."""

    category: Category


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Holds when one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when the part does not."""

    part: Condition


Condition = InCategory | All | Any | Not


@dataclass(frozen=True, slots=True)
class Route:
    """Which model answers when the condition holds. Routes stand in the order in which they are tried."""

    name: str
    when: Condition
    model: Model
    span: Span


@dataclass(frozen=True, slots=True)
class Router:
    """The process that classifies. ``deadline`` in milliseconds, ``max_body`` in bytes."""

    image: str
    replicas: int
    auto_models: tuple[str, ...]
    deadline: int
    max_body: int
    grpc: ServiceRef
    http: ServiceRef
    span: Span
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The router folder by file name, filled in once it is rendered."""

    @property
    def max_message(self) -> int:
        """The gRPC message limit in bytes: a whole body and its frame."""
        return self.max_body + 64 * 1024


@dataclass(frozen=True, slots=True)
class Gateway:
    """The Gateway that carries the traffic. ``timeout`` in milliseconds bounds a whole request."""

    name: str
    namespace: str
    timeout: int
    span: Span


@dataclass(frozen=True, slots=True)
class Test:
    """A request and what must become of it; an expectation that is None is not tested."""

    prompt: str
    model: str
    category: str | None
    route: str | None
    expected_model: Model | None
    span: Span


@dataclass(frozen=True, slots=True)
class Environment:
    """An overlay."""

    name: str
    target: str
    span: Span


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole linked policy. Collections are sorted by name, routes stand in the order in which they are tried."""

    name: str
    sha256: str
    router: Router
    gateway: Gateway
    endpoints: tuple[Endpoint, ...]
    models: tuple[Model, ...]
    classifier: Classifier | None
    categories: tuple[Category, ...]
    routes: tuple[Route, ...]
    default: Model
    tests: tuple[Test, ...]
    environments: tuple[Environment, ...]
    span: Span

    @property
    def targets(self) -> tuple[str, ...]:
        """The stacks that some environment asks for, sorted."""
        return tuple(sorted({environment.target for environment in self.environments}))
