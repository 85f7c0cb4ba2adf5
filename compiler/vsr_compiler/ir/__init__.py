"""The linked policy: every reference resolved, every default filled in, every name a symbol. Frozen.

Targets read this and nothing else. Each symbol carries the place in the policy that it came from. The parts live in
``symbols``, ``signals`` and ``conditions``; they are all found here by one name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.ir.conditions import ALWAYS, All, Any, Condition, HasSignal, InCategory, Not, leaves
from vsr_compiler.ir.signals import Jailbreak, Pii, Signal
from vsr_compiler.ir.symbols import (
    API_PATH,
    CLUSTER_DOMAIN,
    HTTP,
    Category,
    Classifier,
    Endpoint,
    Listener,
    Model,
    Picker,
    PodSet,
    Pool,
    Provider,
    Reasoning,
    Resources,
    ServiceRef,
    VllmServer,
)
from vsr_compiler.syntax.ignores import Ignore
from vsr_schemas.scalars import TOKEN_SECRET

__all__ = [
    "ALWAYS",
    "API_PATH",
    "CLUSTER_DOMAIN",
    "All",
    "Any",
    "Assertion",
    "Cache",
    "Category",
    "Classifier",
    "Condition",
    "Endpoint",
    "Environment",
    "Gateway",
    "GitOps",
    "Guard",
    "HasSignal",
    "InCategory",
    "Listener",
    "Model",
    "Not",
    "Picker",
    "PodSet",
    "Policy",
    "Pool",
    "Provider",
    "Reasoning",
    "Resources",
    "Route",
    "Router",
    "ServiceRef",
    "Signal",
    "Span",
    "Statement",
    "Test",
    "VllmServer",
    "leaves",
]


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold for every request. ``exempt`` are the models at which it does not; ``target`` is ``route``'s.

    ``types`` are personal data, ``patterns`` expressions, ``builtin`` sets of patterns that the runtime brings.
    """

    name: str
    detector: Classifier | None
    types: tuple[str, ...]
    patterns: tuple[str, ...]
    builtin: tuple[str, ...]
    threshold: float
    action: str
    target: Model | None
    on: str
    on_error: str
    max_tokens: int
    exempt: tuple[Model, ...]
    unreadable: str
    unmask: bool
    span: Span

    @property
    def on_requests(self) -> bool:
        """Whether it reads requests."""
        return self.on in {"request", "both"}

    @property
    def on_responses(self) -> bool:
        """Whether responses must be read for it: for what they hold, or to undo its masks."""
        return self.on in {"response", "both"} or self.unmask


@dataclass(frozen=True, slots=True)
class Cache:
    """Whose answers are kept. ``ttl`` in milliseconds; without a ``similarity`` it must be the very same request."""

    similarity: float | None
    ttl: int
    scope: str
    span: Span


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers when the condition holds. Routes stand in the order in which they are tried.

    ``models`` are pairs of a model and its share in per cent; empty where ``respond`` is the answer.
    ``header_edits`` are names with the value to set, or None to remove. Times in milliseconds.
    """

    name: str
    when: Condition
    models: tuple[tuple[Model, int], ...]
    span: Span
    priority: int = 0
    respond: str | None = None
    reasoning: bool | None = None
    effort: str | None = None
    system_prompt: tuple[str, str] | None = None
    header_edits: tuple[tuple[str, str | None], ...] = ()
    cache: Cache | None = None
    allow_tools: tuple[str, ...] = ()
    block_tools: tuple[str, ...] = ()
    no_tools: bool = False
    max_tokens: int | None = None
    max_n: int | None = None
    block_params: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """Of which requests an assertion speaks. ``to`` are models; None: it does not say where."""

    category: Category | None
    signal: Signal | None
    to: tuple[Model, ...] | None
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    """What must hold of every request: ``never`` such a one, or ``always`` so. ``words`` is how messages call it."""

    always: bool
    statement: Statement
    words: str
    span: Span


@dataclass(frozen=True, slots=True)
class Router:
    """The process that classifies. ``deadline`` in milliseconds, ``max_body`` in bytes.

    ``image`` is empty where it is that of the engine's release. ``unguarded``: the policy accepts that guards hold only
    where the router chooses the model.
    """

    image: str
    replicas: int
    auto_models: tuple[str, ...]
    deadline: int
    max_body: int
    grpc: ServiceRef
    http: ServiceRef
    span: Span
    engine: str = "vsr-runtime"
    gpus: int = 0
    weights: str | None = None
    """The claim that holds checkpoints already; without one the compiler writes one."""
    token_secret: str = TOKEN_SECRET
    on_failure: str = "deny"
    response_headers: Literal["never", "on-request", "always"] = "never"
    unguarded: bool = False
    resources: Resources | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The router folder by file name, filled in once it is rendered."""
    stopped_from: int = 0
    """The replicas that it has otherwise, where an environment has none."""

    @property
    def holders(self) -> int:
        """How many pods hold its volume, or would: no claim changes its mode while they are stopped."""
        return self.replicas or self.stopped_from

    @property
    def fails_open(self) -> bool:
        """Whether the policy wants requests that the router cannot decide to reach the default model."""
        return self.on_failure == "default-model"

    @property
    def stock(self) -> bool:
        """Whether it is the stock router rather than our runtime."""
        return self.engine == "semantic-router"

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
    listener: Listener = HTTP

    @property
    def class_name(self) -> str:
        """The GatewayClass that is this Gateway's own, where one is made: no other Gateway's bears the name."""
        return f"{self.namespace}-{self.name}"


@dataclass(frozen=True, slots=True)
class GitOps:
    """The repository that Argo CD reads from, and the cluster that it syncs to."""

    repo: str
    revision: str
    path: str
    server: str
    namespace: str
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
    guards: tuple[Guard, ...] | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """An overlay. ``replicas``, ``images`` and ``resources`` go by endpoint; the key ``router`` is the router."""

    name: str
    target: str
    span: Span
    simulate: bool = False
    replicas: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Resources] = field(default_factory=dict)
    device: str | None = None
    gateway_name: str | None = None
    gateway_namespace: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


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
    classifiers: tuple[Classifier, ...] = ()
    signals: tuple[Signal, ...] = ()
    guards: tuple[Guard, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    gitops: GitOps | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    ignores: tuple[Ignore, ...] = ()

    @property
    def asked(self) -> tuple[Classifier, ...]:
        """The classifiers that somebody asks, each once: the categories', and the detectors of guards and signals."""
        detectors = (signal.body.detector for signal in self.signals if isinstance(signal.body, Jailbreak | Pii))
        found = [self.classifier, *(guard.detector for guard in self.guards), *detectors]
        return tuple({one.name: one for one in found if one is not None}.values())

    @property
    def checkpoints(self) -> list[tuple[str, str]]:
        """Repositories and revisions that our runtime reads, each once. The stock router brings models of its own."""
        if self.router.stock:
            return []
        return sorted({one.checkpoint for one in self.asked if one.checkpoint is not None})

    @property
    def on_gpu(self) -> bool:
        """Whether a checkpoint is for a GPU."""
        return any(one.checkpoint is not None and one.device == "cuda" for one in self.asked)

    @property
    def targets(self) -> tuple[str, ...]:
        """The stacks that some environment asks for, sorted."""
        return tuple(sorted({environment.target for environment in self.environments}))
