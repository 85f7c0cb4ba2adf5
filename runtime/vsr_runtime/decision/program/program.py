"""A decision program: routes, signals and guards of a compiled config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_runtime.decision.ask.extract import AskRules
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.identity.rules import IdentityRules
from vsr_runtime.decision.limits.rules import Rates
from vsr_runtime.decision.program.conditions import (
    CategoryCondition,
    ConditionLeaf,
    SignalCondition,
    SignalKind,
    SignalName,
    SignalValues,
    condition_leaves,
)
from vsr_runtime.decision.program.effects import CorsPolicy, ModelTarget
from vsr_runtime.decision.program.fallback import Fallback
from vsr_runtime.decision.program.ordering import Strategy, ranks_of, rated_signals
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.program.stickiness import Stickiness
from vsr_runtime.decision.selection.observations import Wanted
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.label import LabelSignal
from vsr_runtime.decision.signals.model_signals import ModelResults, ModelSignal, ScoredModelSignal
from vsr_runtime.decision.signals.score import ScoredSignal
from vsr_runtime.decision.view import RequestView

COUNTS = frozenset({"context", "conversation"})
"""Types of signals that change with the length of a conversation."""
GUARD_WORK = 300
"""Steps per byte of text and guard. Most texts take fewer, hostile ones up to about 2,000."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled config.

    Attributes:
        models: the target of each name that clients and routes can use: base models, then adapters.
        auto_names: names by which a client lets the router choose.
        routes: by tier, descending priority, and name.
        default: the model that serves if no route applies.
        fallback: the category of requests without a recognised category; None if there is none.
        signals: signals that are computed from the request alone.
        guards: guards for all requests and responses, in the order in which they act.
        model_signals: signals that need a model, except the category.
        caches_responses: whether some route caches responses.
        ask_rules: how the person's ask is extracted; None if signals read the whole last user turn.
        stickiness: how conversations stay with a model; None if each request is decided by its last turn.
        cors: which pages may call the gateway; None if the router leaves that to the gateway.
        default_target: the default model as requests without a route get it: its reasoning is switched off.
        overflow: whether a request that is too long for the models of its route goes on to the next one that can hold
            it, or is rejected.
        identity: how clients are authenticated, and which models are for some of them; None if everybody may.
        rates: how much may be used in a window of time; None if nothing is counted.
        whole_category: whether all texts of the request decide the category, instead of the ask.
        aliases: further names that clients may use, with the model of each: those by which routes of others know it.
        strategy: whether priority or confidence counts first between routes that hold at once.
        measured: the signals whose numbers something reads.
        recipes: other routing profiles, by the names with which clients choose them instead of a model.
        wanted: what routes of all profiles must know of models to select one; None if none selects.
    """

    models: Mapping[str, ModelTarget]
    auto_names: tuple[str, ...]
    routes: tuple[PolicyRoute, ...]
    default: str
    fallback: str | None = None
    signals: Mapping[SignalName, Signal] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()
    model_signals: Mapping[SignalName, ModelSignal] = field(default_factory=dict)
    caches_responses: bool = False
    ask_rules: AskRules | None = None
    stickiness: Stickiness | None = None
    whole_category: bool = False
    cors: CorsPolicy | None = None
    default_target: ModelTarget | None = None
    overflow: Literal["route", "reject"] = "route"
    identity: IdentityRules | None = None
    rates: Rates | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    strategy: Strategy = "priority"
    measured: frozenset[SignalName] = frozenset()
    recipes: Mapping[str, Program] = field(default_factory=dict)
    wanted: Wanted | None = None
    scored: Mapping[SignalName, ScoredSignal] = field(init=False, repr=False, compare=False)
    """The measured signals that are computed from the request alone and have numbers."""
    scored_models: Mapping[SignalName, ScoredModelSignal] = field(init=False, repr=False, compare=False)
    """The measured signals that need a model and have numbers."""
    leaves: frozenset[ConditionLeaf] = field(init=False, repr=False, compare=False)
    """The leaves of all conditions."""
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The model names that clients can request."""
    on_request: tuple[Guard, ...] = field(init=False, repr=False, compare=False)
    """The guards that read requests."""
    on_response: tuple[Guard, ...] = field(init=False, repr=False, compare=False)
    """The guards that read responses."""
    apis: frozenset[str] = field(init=False, repr=False, compare=False)
    """The APIs that some model serves, by their paths."""
    counts: bool = field(init=False, repr=False, compare=False)
    """Whether some route depends on the length of a conversation, or on its numbers of messages."""
    splits: bool = field(init=False, repr=False, compare=False)
    """Whether some route has several models."""
    destinations: frozenset[str] = field(init=False, repr=False, compare=False)
    """The models to which requests go whose model the router chooses."""
    chains: Mapping[str, Fallback] = field(init=False, repr=False, compare=False)
    default_headers: frozenset[str] = field(init=False, repr=False, compare=False)
    """The attempts of decisions, by the name that the gateway has for them."""
    smallest_context: int | None = field(init=False, repr=False, compare=False)
    """The smallest context of any model; None if none is known."""
    label_readers: frozenset[str] = field(init=False, repr=False, compare=False)
    """The classifiers of labels that read the ask by itself."""
    ranks: tuple[tuple[PolicyRoute, ...], ...] | None = field(init=False, repr=False, compare=False)
    """Groups of routes between which confidence decides; None if the first route that holds is the route."""

    def __post_init__(self) -> None:
        every = frozenset[ConditionLeaf]().union(*(condition_leaves(route.condition) for route in self.routes))
        object.__setattr__(self, "leaves", every)
        object.__setattr__(self, "ranks", ranks_of(self.routes, self.strategy))
        measured = self.measured | rated_signals(self.ranks or ())
        numbers = [(name, self.signals[name]) for name in measured & self.signals.keys()]
        object.__setattr__(self, "scored", {name: one for name, one in numbers if isinstance(one, ScoredSignal)})
        models = [(name, self.model_signals[name]) for name in measured & self.model_signals.keys()]
        scored_models = {name: one for name, one in models if isinstance(one, ScoredModelSignal)}
        object.__setattr__(self, "scored_models", scored_models)
        object.__setattr__(self, "names", tuple(dict.fromkeys((*self.auto_names, *self.recipes, *self.models))))
        object.__setattr__(self, "on_request", tuple(guard for guard in self.guards if guard.on_request))
        object.__setattr__(self, "on_response", tuple(guard for guard in self.guards if guard.on_response))
        served = frozenset[str]().union(*(target.limits.apis for target in self.models.values()))
        object.__setattr__(self, "apis", served)
        counts = any(isinstance(leaf, SignalCondition) and leaf.name[0] in COUNTS for leaf in every)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "splits", any(len(route.targets) > 1 for route in self.routes))
        reached = {self.default, *(target.name for route in self.routes for target, _ in route.targets)}
        fallbacks = [route.fallback for route in self.routes if route.fallback is not None]
        chains = {name: fallback for fallback in fallbacks for name in fallback.routes.values()}
        object.__setattr__(self, "chains", chains)
        known = [target.credentials for target in self.models.values() if target.credentials is not None]
        defaults = frozenset(name for item in known for name, _ in item.defaults)
        object.__setattr__(self, "default_headers", defaults)
        reached |= {name for fallback in fallbacks for name in fallback.models}
        object.__setattr__(self, "destinations", frozenset(reached))
        contexts = [target.context for target in self.models.values() if target.context is not None]
        object.__setattr__(self, "smallest_context", min(contexts, default=None))
        labels = [signal for signal in self.model_signals.values() if isinstance(signal, LabelSignal)]
        readers = frozenset(signal.detector for signal in labels if signal.reads_ask)
        object.__setattr__(self, "label_readers", readers)

    def names_for(self, client: Client | None) -> Sequence[str]:
        """Return the model names that a client can request."""
        rules = self.identity
        return self.names if rules is None else [name for name in self.names if rules.allows(name, client)]

    def holder(self, name: str) -> str | None:
        """Return the model that a client means by a name of the policy or of the provider; None if it is unknown."""
        if name in self.models:
            return name
        served = [target.name for target in self.models.values() if target.served_as == name]
        return served[0] if len(served) == 1 else None

    @property
    def counts_usage(self) -> bool:
        """Whether some limit depends on the tokens of responses."""
        return self.rates is not None and self.rates.reads_usage

    @property
    def reads_responses(self) -> bool:
        """Whether some response must be read before the client gets it."""
        return (
            self.counts_usage
            or self.wanted is not None
            or self.caches_responses
            or bool(self.on_response)
            or any(guard.unmask for guard in self.guards)
        )

    @property
    def profiles(self) -> tuple[Program, ...]:
        """The program and those of its recipes, each once."""
        return (self, *{id(recipe): recipe for recipe in self.recipes.values()}.values())

    def with_recipes(self, recipes: Mapping[str, Program]) -> Program:
        """Return the program with those of its recipes, by name."""
        caches = self.caches_responses or any(recipe.caches_responses for recipe in recipes.values())
        wanted = Wanted.union(one.wanted for one in (self, *recipes.values()))
        every = {name: replace(recipe, wanted=wanted) for name, recipe in recipes.items()} if wanted else recipes
        return replace(self, recipes=every, caches_responses=caches, wanted=wanted)

    @property
    def needs(self) -> frozenset[SignalKind]:
        """What some route needs a model to compute."""
        return frozenset[SignalKind]().union(*(one.own_needs for one in self.profiles))

    @property
    def own_needs(self) -> frozenset[SignalKind]:
        """What some route needs, without recipes."""
        return self.needed(self.leaves)[0]

    @property
    def work(self) -> int:
        """Worst-case steps per byte of text, over all guards and all signals that routes use."""
        return max(one.own_work for one in self.profiles)

    @property
    def own_work(self) -> int:
        """The same without recipes."""
        names = {leaf.name for leaf in self.leaves if isinstance(leaf, SignalCondition)}
        reading = any(
            self.model_signals[name].detector for name in names & self.model_signals.keys()
        )  # their texts are normalised, like those of guards
        guarding = GUARD_WORK * (len(self.on_request) + reading)
        return guarding + sum(self.signals[name].work for name in names & self.signals.keys())

    def with_category(self, signals: SignalValues, category: str | None, probability: float | None) -> SignalValues:
        """Return the signals with a category, or with the fallback if there is none."""
        return replace(
            signals, category=self.fallback if category is None else category, probability=probability, classified=True
        )

    def with_model_results(self, signals: SignalValues, view: RequestView, results: ModelResults) -> SignalValues:
        """Return the signals with model results. Signals without a result stay unknown."""
        truths = {name: signal.evaluate(view, results) for name, signal in self.model_signals.items()}
        matched = {name: holds for name, holds in truths.items() if holds is not None}
        known = replace(signals, matched={**matched, **signals.matched}) if matched else signals
        for name, scored in self.scored_models.items():
            score = scored.score(view, results)
            known = known if score is None else known.scored(name, score)
        return known

    def needed(self, leaves: frozenset[ConditionLeaf]) -> tuple[frozenset[SignalKind], frozenset[str]]:
        """Return what leaves need a model to compute, and the detectors that they need."""
        kinds, detectors = set[SignalKind](), set[str]()
        for leaf in leaves:
            if isinstance(leaf, CategoryCondition):
                kinds.add("request-category" if self.whole_category else "category")
            elif leaf.name in self.model_signals:
                signal = self.model_signals[leaf.name]
                if signal.detector is not None:
                    detectors.add(signal.detector)
                else:
                    kinds.add("request-similarity" if signal.everywhere else "similarity")
        return frozenset(kinds), frozenset(detectors)
