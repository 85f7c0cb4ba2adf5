"""The decision program: which route a request takes, given what is found out about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.guard import Guard
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
from vsr_runtime.decision.program.effects import Effects, ModelTarget
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.model_signals import ModelResults, ModelSignal
from vsr_runtime.decision.view import RequestView

TOTAL_SHARE = 100.0
GUARD_WORK = 300
"""Steps that a byte of text counts for each guard: most texts take fewer, hostile ones up to some 2,000."""


@dataclass(frozen=True, slots=True)
class PolicyRoute:
    """One decision of the config.

    Attributes:
        name: the decision's name.
        rule: when it holds.
        targets: models and their shares in per cent, which add up to 100; empty where the answer is fixed.
        effects: what else it does.
    """

    name: str
    condition: Condition
    targets: tuple[tuple[ModelTarget, int], ...]
    effects: Effects = field(default_factory=Effects)

    def target(self, draw: float) -> ModelTarget:
        """The model for a number drawn from [0, 100): shares take up that range in their order."""
        end = 0
        for target, share in self.targets:
            end += share
            if draw < end:
                return target
        raise ValueError(f"{draw} is no number of [0, {TOTAL_SHARE:.0f})")


@fast_dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one request. ``route`` is None where no rule held and the default serves."""

    route: PolicyRoute | None
    signals: SignalValues


@fast_dataclass(frozen=True, slots=True)
class Undecided:
    """The outcome depends on what takes models to find out.

    Attributes:
        signals: what is known so far.
        kinds: what is to be asked about the last user turn.
        detectors: the texts that detectors must read, by their names.
    """

    signals: SignalValues
    kinds: frozenset[SignalKind] = frozenset({"category"})
    detectors: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """A config made ready to decide.

    Attributes:
        models: how each name that clients and routes can use is served: bases first, then adapters.
        auto_names: the names by which a client lets the router choose.
        routes: by priority, highest first, then by name.
        default: the model that serves where no route holds.
        fallback: the category of a request that is like none of the classifier's; None where it has none then.
        signals: the signals that are found out from the request alone.
        asking: the signals that take a model; the category is none of them.
        guards: what holds for every request or response, in the order in which they act.
        keeps_answers: whether some route's answers are kept.
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
    leaves: frozenset[ConditionLeaf] = field(init=False, repr=False, compare=False)
    """The leaves of all rules."""
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """What clients can ask for."""
    on_request: tuple[Guard, ...] = field(init=False, repr=False, compare=False)
    """The guards that read requests."""
    on_response: tuple[Guard, ...] = field(init=False, repr=False, compare=False)
    """The guards that read responses."""

    def __post_init__(self) -> None:
        every = frozenset[ConditionLeaf]().union(*(condition_leaves(route.condition) for route in self.routes))
        object.__setattr__(self, "leaves", every)
        object.__setattr__(self, "names", (*self.auto_names, *self.models))
        object.__setattr__(self, "on_request", tuple(guard for guard in self.guards if guard.on_request))
        object.__setattr__(self, "on_response", tuple(guard for guard in self.guards if guard.on_response))

    @property
    def reads_responses(self) -> bool:
        """Whether some response must be read before the client gets it."""
        return self.caches_responses or bool(self.on_response) or any(guard.unmask for guard in self.guards)

    @property
    def needs(self) -> frozenset[SignalKind]:
        """What some route asks a model about the last user turn."""
        return self._wanted(self.leaves)[0]

    @property
    def work(self) -> int:
        """Steps that a byte of text may take at the worst, over all guards and all signals that routes ask for."""
        asked = {leaf.name for leaf in self.leaves if isinstance(leaf, SignalCondition)}
        reading = any(
            self.model_signals[name].detector for name in asked & self.model_signals.keys()
        )  # normalised, as guards do
        guarding = GUARD_WORK * (len(self.on_request) + reading)
        return guarding + sum(self.signals[name].work for name in asked & self.signals.keys())

    def decide(
        self, view: RequestView, signals: SignalValues | None = None, expired: Expired = never
    ) -> Decision | Undecided:
        """Find the first route whose rule holds, looking only at what its outcome depends on, the cheapest first.

        Where that takes a model, everything that models may still be needed for is asked at once: what stays open in
        the first such route and in those behind it that have a chance. With all of that in ``signals``, the outcome
        is a `Decision`; what is missing there, because a model failed, keeps it undecided if it depends on that.

        Args:
            view: the request.
            signals: what is known already.
            expired: says when the time is up.

        Raises:
            OutOfTimeError: the time was up first.
        """
        known, open_now = signals or SignalValues(), frozenset[ConditionLeaf]()
        for route in self.routes:
            known, truth = self._looked(route.condition, view, known, expired)
            if truth and not open_now:
                return Decision(route, known)
            if truth or (open_now and self._all_asked(open_now)):
                break
            if truth is None:
                open_now |= open_leaves(route.condition, known)
        if not open_now:
            return Decision(None, known)
        kinds, detectors = self._wanted(open_now)
        return Undecided(known, kinds, {name: self._texts(name, view) for name in sorted(detectors)})

    def with_category(self, signals: SignalValues, category: str | None, probability: float | None) -> SignalValues:
        """The signals with the category that was found, or the fallback where none was."""
        found = self.fallback if category is None else category
        return replace(signals, category=found, probability=probability, classified=True)

    def with_model_results(self, signals: SignalValues, view: RequestView, found: ModelResults) -> SignalValues:
        """The signals with what models said. What they did not say stays open."""
        said = {name: one.verdict(view, found) for name, one in self.model_signals.items()}
        matched = {name: holds for name, holds in said.items() if holds is not None}
        return replace(signals, matched={**matched, **signals.matched}) if matched else signals

    def _looked(
        self, rule: Condition, view: RequestView, known: SignalValues, expired: Expired
    ) -> tuple[SignalValues, bool | None]:
        """What is known after a rule's cheap signals were looked at, as far as its truth depends on them; its truth."""
        while (truth := rule.truth(known)) is None:
            asked = open_leaves(rule, known)
            leaf = self._cheapest(asked)
            if leaf is not None:
                known = known.also(leaf.name, holds=self.signals[leaf.name].holds(view, expired))
            elif (settled := self._silent(asked, view, known)) != known:
                known = settled
            else:
                break
        return known, truth

    def _silent(self, asked: frozenset[ConditionLeaf], view: RequestView, known: SignalValues) -> SignalValues:
        """What is known where there is no text, only an image, say: there is nothing to ask a model about."""
        for leaf in asked:
            if isinstance(leaf, CategoryCondition):
                known = known if view.turn.strip() else self.with_category(known, None, None)
            elif not self.model_signals[leaf.name].texts(view):
                known = known.also(leaf.name, holds=False)
        return known

    def _cheapest(self, asked: frozenset[ConditionLeaf]) -> SignalCondition | None:
        cheap = [leaf for leaf in asked if isinstance(leaf, SignalCondition) and leaf.name in self.signals]
        if len(cheap) <= 1:
            return cheap[0] if cheap else None
        return min(cheap, key=lambda leaf: (self.signals[leaf.name].cost, leaf.name))

    def _all_asked(self, asked: frozenset[ConditionLeaf]) -> bool:
        """Whether no other route can want more of models than these leaves do."""
        return self._wanted(asked) == self._wanted(self.leaves)

    def _wanted(self, asked: frozenset[ConditionLeaf]) -> tuple[frozenset[SignalKind], frozenset[str]]:
        """What leaves want to know of the last user turn, and the detectors that they ask."""
        kinds, detectors = set[SignalKind](), set[str]()
        for leaf in asked:
            if isinstance(leaf, CategoryCondition):
                kinds.add("category")
            elif leaf.name in self.model_signals:
                detector = self.model_signals[leaf.name].detector
                kinds.update(("similarity",) if detector is None else ())
                detectors.update(() if detector is None else (detector,))
        return frozenset(kinds), frozenset(detectors)

    def _texts(self, detector: str, view: RequestView) -> tuple[str, ...]:
        """All that a detector must read: its signals share it."""
        asked = {
            leaf.name for leaf in self.leaves if isinstance(leaf, SignalCondition) and leaf.name in self.model_signals
        }
        own = (self.model_signals[name] for name in sorted(asked))
        return tuple(dict.fromkeys(text for one in own if one.detector == detector for text in one.texts(view)))
