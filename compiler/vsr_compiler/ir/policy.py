"""The linked policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.ir.ask import AskRules
from vsr_compiler.ir.attachment import Attachment
from vsr_compiler.ir.classifiers import Category, Classifier
from vsr_compiler.ir.endpoints import Endpoint
from vsr_compiler.ir.environments import Environment, Gateway
from vsr_compiler.ir.expectations import Assertion, Test
from vsr_compiler.ir.gitops import GitOps
from vsr_compiler.ir.guards import Guard
from vsr_compiler.ir.identity import Identity
from vsr_compiler.ir.imports import Import
from vsr_compiler.ir.limits import Limit
from vsr_compiler.ir.models import Model
from vsr_compiler.ir.residency import Residency
from vsr_compiler.ir.router import Router, SemanticRouter
from vsr_compiler.ir.routes import Route
from vsr_compiler.ir.signals import Signal, detector_of
from vsr_compiler.ir.stickiness import Stickiness
from vsr_compiler.syntax.ignores import Ignore
from vsr_schemas.apis import ApiName


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole linked policy. Collections are sorted by name, except routes, which are in order of evaluation."""

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
    ask: AskRules = field(default_factory=AskRules)
    guards: tuple[Guard, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    gitops: GitOps | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    default_route: Route | None = None
    """How the default model is called, if the policy says so: a route behind all others."""
    stickiness: Stickiness | None = None
    apis: tuple[ApiName, ...] = ()
    """The open APIs; empty if all are."""
    identity: Identity | None = None
    """How clients are authenticated; None if the policy leaves that open."""
    imports: tuple[Import, ...] = ()
    """The fragments, in the order in which they are read."""
    limits: tuple[Limit, ...] = ()
    """In file order, in which they are applied."""
    attachment: Attachment | None = None
    """That of the environment, or of the first one that has one; None if the policy attaches to no Gateway."""
    hosts: tuple[Environment, ...] = ()
    """The environments of the target `compose`, which are no clusters, sorted by name."""
    residency: Residency | None = None
    """The regions that environments may refer to; None if the policy does not restrict them."""
    candidates: Mapping[str, Policy] = field(default_factory=dict)
    """The candidates of all environments, by the names of their folders."""

    @property
    def candidate(self) -> Policy | None:
        """The candidate; None if there is none."""
        return None if self.router.candidate is None else self.candidates.get(self.router.candidate.name)

    @property
    def used_classifiers(self) -> tuple[Classifier, ...]:
        """The classifiers in use, each once: the category classifier, and the detectors of guards and signals."""
        candidates = [
            self.classifier,
            *(guard.detector for guard in self.guards),
            *(detector_of(signal) for signal in self.signals),
        ]
        return tuple({classifier.name: classifier for classifier in candidates if classifier is not None}.values())

    @property
    def remote_classifiers(self) -> tuple[Classifier, ...]:
        """The classifiers in use that servers compute, sorted by name."""
        return tuple(sorted((used for used in self.used_classifiers if used.server), key=lambda used: used.name))

    @property
    def retrying(self) -> tuple[Route, ...]:
        """The routes with more than one attempt, that of the default last."""
        routes = (*self.routes, *([self.default_route] if self.default_route is not None else []))
        return tuple(route for route in routes if route.retry is not None)

    @property
    def checkpoints(self) -> list[tuple[str, str]]:
        """Repositories and revisions that our runtime loads, each once. The stock router ships its own models."""
        if isinstance(self.router.implementation, SemanticRouter):
            return []
        return sorted({used.checkpoint for used in self.used_classifiers if used.checkpoint is not None})

    @property
    def fetched(self) -> list[tuple[str, str]]:
        """Repositories and revisions of all weights that are not in the router's image: checkpoints, and an encoder."""
        if isinstance(self.router.implementation, SemanticRouter):
            return []
        return sorted({*self.checkpoints, *self.router.encoder.pinned})

    @property
    def on_gpu(self) -> bool:
        """Whether a checkpoint runs on a GPU."""
        return any(used.checkpoint is not None and used.device == "cuda" for used in self.used_classifiers)

    @property
    def installed_charts(self) -> frozenset[str]:
        """The charts that Argo CD and Flux install, so that users need not."""
        return frozenset(self.gitops.charts) if self.gitops is not None else frozenset()

    @property
    def places(self) -> tuple[Environment, ...]:
        """All environments, clusters and hosts."""
        return (*self.environments, *self.hosts)

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that the environments use, sorted."""
        return tuple(sorted({environment.target for environment in self.environments}))
