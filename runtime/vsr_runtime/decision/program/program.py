"""The decision program: chooses the route of a request from its signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_runtime.decision.ask.extract import AskRules
from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.identity.rules import IdentityRules
from vsr_runtime.decision.limits.rules import Rates
from vsr_runtime.decision.program.conditions import (
    CategoryCondition,
    Condition,
    ConditionLeaf,
    SignalCondition,
    SignalKind,
    SignalName,
    SignalValues,
    condition_leaves,
    open_leaves,
)
from vsr_runtime.decision.program.context_length import NO_DEMAND, TokenDemand
from vsr_runtime.decision.program.effects import CorsPolicy, Effects, ModelTarget
from vsr_runtime.decision.program.fallback import Fallback
from vsr_runtime.decision.program.ordering import (
    Standing,
    Strategy,
    most_confident,
    ranks_of,
    rated_signals,
    unsettled,
)
from vsr_runtime.decision.program.stickiness import Stickiness
from vsr_runtime.decision.selection.observations import Wanted
from vsr_runtime.decision.selection.selectors import Selection
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.label import LabelSignal
from vsr_runtime.decision.signals.model_signals import ModelResults, ModelSignal, ScoredModelSignal
from vsr_runtime.decision.signals.score import ScoredSignal
from vsr_runtime.decision.view import RequestView

TOTAL_SHARE = 100.0
COUNTS = frozenset({"context", "conversation"})
"""Types of signals that change with the length of a conversation."""
GUARD_WORK = 300
"""Steps per byte of text and guard. Most texts take fewer, hostile ones up to about 2,000."""


@dataclass(frozen=True, slots=True)
class PolicyRoute:
    """One decision of the config.

    Attributes:
        name: the decision's name.
        condition: when the route applies.
        targets: models and their shares in per cent, which add up to 100; empty for a static response.
        effects: other effects on the request.
        fallback: its attempts; None if each request is sent once.
        standing: its place; None to rank it by the order of routes.
        selection: how one of several models is selected; None if it is drawn by shares.
    """

    name: str
    condition: Condition
    targets: tuple[tuple[ModelTarget, int], ...]
    effects: Effects = field(default_factory=Effects)
    fallback: Fallback | None = None
    standing: Standing | None = None
    selection: Selection | None = None

    def fits(self, demand: TokenDemand) -> bool:
        """Return whether some model of the route can hold a request. A static response always can."""
        return not self.targets or any(share and demand.fits(target) for target, share in self.targets)

    def holding(self, demand: TokenDemand) -> PolicyRoute:
        """Return the route with the models that can hold a request, if some can; their shares keep their proportions.

        The last one gets what rounding leaves.
        """
        fitting = [(target, share) for target, share in self.targets if demand.fits(target)]
        total = sum(share for _, share in fitting)
        if len(fitting) == len(self.targets) or not total:
            return self
        shares = [int(share * TOTAL_SHARE / total) for _, share in fitting]
        shares[-1] += int(TOTAL_SHARE) - sum(shares)
        return replace(self, targets=tuple((target, share) for (target, _), share in zip(fitting, shares, strict=True)))

    def target(self, point: float) -> ModelTarget:
        """Return the target for a point in [0, 100). Shares occupy that range in order."""
        end = 0
        for target, share in self.targets:
            end += share
            if point < end:
                return target
        raise ValueError(f"{point} is not in [0, {TOTAL_SHARE:.0f})")


@fast_dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one request. ``route`` is None if no condition held; the default model then serves."""

    route: PolicyRoute | None
    signals: SignalValues


@fast_dataclass(frozen=True, slots=True)
class Undecided:
    """The outcome depends on model results.

    Attributes:
        signals: the signals known so far.
        kinds: what to compute for the person's ask, or for all texts of the request.
        detectors: the texts to read, by detector.
        detects_ask: whether one of these texts is the ask by itself, which differs in each turn.
    """

    signals: SignalValues
    kinds: frozenset[SignalKind] = frozenset({"category"})
    detectors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    detects_ask: bool = False


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
        return self._needed(self.leaves)[0]

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

    def decide(
        self,
        view: RequestView,
        signals: SignalValues | None = None,
        expired: Expired = never,
        demand: TokenDemand = NO_DEMAND,
    ) -> Decision | Undecided:
        """Find the first route whose condition holds. Evaluates only relevant signals, the cheapest first.

        If a model is needed, everything that models may still be needed for is requested at once: for the first
        undecided route and for the routes after it that may still apply. With all these results in ``signals``, the
        outcome is a `Decision`. If a result is missing because a model failed and the outcome depends on it, the
        outcome stays `Undecided`.

        Args:
            view: the request.
            signals: the signals that are already known.
            expired: the deadline.
            demand: the tokens that the request needs. A route none of whose models can hold it is skipped, unless such
                requests are rejected.

        Raises:
            DeadlineExceededError: the deadline passed first.
        """
        known, open_now = signals or SignalValues(), frozenset[ConditionLeaf]()
        if self.ranks is not None:
            return self._decide_ranked(self.ranks, view, known, expired, demand)
        for route in self.routes:
            if demand.output and self.overflow == "route" and not route.fits(demand):
                continue
            known, truth = self._evaluate(route.condition, view, known, expired)
            if truth and not open_now:
                return Decision(route, known)
            if truth or (open_now and self._all_needed(open_now)):
                break
            if truth is None:
                open_now |= open_leaves(route.condition, known)
        return self._undecided(open_now, view, known) if open_now else Decision(None, known)

    def _decide_ranked(
        self,
        ranks: Sequence[Sequence[PolicyRoute]],
        view: RequestView,
        known: SignalValues,
        expired: Expired,
        demand: TokenDemand,
    ) -> Decision | Undecided:
        """Find the most confident route of the first rank with one that holds."""
        open_now = frozenset[ConditionLeaf]()
        for rank in ranks:
            able = [route for route in rank if self.overflow != "route" or not demand.output or route.fits(demand)]
            while leaves := unsettled(able, known):
                before, known = known, self._learn(leaves, view, known, expired)
                if known is before:
                    break
            if leaves:
                open_now |= leaves
                if self._all_needed(open_now):
                    break
                continue
            winner = most_confident(able, known, self.strategy)
            if winner is not None:
                if not open_now:
                    return Decision(winner, known)
                break
        return self._undecided(open_now, view, known) if open_now else Decision(None, known)

    def _undecided(self, leaves: frozenset[ConditionLeaf], view: RequestView, known: SignalValues) -> Undecided:
        kinds, detectors = self._needed(leaves)
        texts = {name: self._texts(name, view) for name in sorted(detectors)}
        return Undecided(known, kinds, texts, not self.label_readers.isdisjoint(detectors))

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

    def _evaluate(
        self, condition: Condition, view: RequestView, known: SignalValues, expired: Expired
    ) -> tuple[SignalValues, bool | None]:
        """Evaluate cheap signals while the condition depends on them. Return all signals and the condition's truth."""
        while (truth := condition.truth(known)) is None:
            before, known = known, self._learn(open_leaves(condition, known), view, known, expired)
            if known is before:
                break
        return known, truth

    def _learn(
        self, leaves: frozenset[ConditionLeaf], view: RequestView, known: SignalValues, expired: Expired
    ) -> SignalValues:
        """Return the signals with one more, the cheapest of some leaves; the same ones if the others need a model."""
        leaf = self._cheapest(leaves)
        if leaf is not None:
            scored = self.scored.get(leaf.name)
            if scored is not None:
                return known.scored(leaf.name, scored.score(view, expired))
            return known.also(leaf.name, holds=self.signals[leaf.name].holds(view, expired))
        settled = self._without_text(leaves, view, known)
        return known if settled == known else settled

    def _without_text(self, leaves: frozenset[ConditionLeaf], view: RequestView, known: SignalValues) -> SignalValues:
        """Return the signals for a request without text, such as a lone image: there is nothing for a model to read."""
        for leaf in leaves:
            if isinstance(leaf, CategoryCondition):
                text = view.text(everywhere=self.whole_category)
                known = known if text.strip() else self.with_category(known, None, None)
            elif not self.model_signals[leaf.name].texts(view):
                known = known.also(leaf.name, holds=False)
        return known

    def _cheapest(self, leaves: frozenset[ConditionLeaf]) -> SignalCondition | None:
        cheap = [leaf for leaf in leaves if isinstance(leaf, SignalCondition) and leaf.name in self.signals]
        if len(cheap) <= 1:
            return cheap[0] if cheap else None
        return min(cheap, key=lambda leaf: (self.signals[leaf.name].cost, leaf.name))

    def _all_needed(self, leaves: frozenset[ConditionLeaf]) -> bool:
        """Return whether these leaves already need everything that any route needs from models."""
        return self._needed(leaves) == self._needed(self.leaves)

    def _needed(self, leaves: frozenset[ConditionLeaf]) -> tuple[frozenset[SignalKind], frozenset[str]]:
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

    def _texts(self, detector: str, view: RequestView) -> tuple[str, ...]:
        """Return all texts that a detector must read for its signals."""
        names = {
            leaf.name for leaf in self.leaves if isinstance(leaf, SignalCondition) and leaf.name in self.model_signals
        }
        signals = (self.model_signals[name] for name in sorted(names))
        return tuple(
            dict.fromkeys(text for signal in signals if signal.detector == detector for text in signal.texts(view))
        )
