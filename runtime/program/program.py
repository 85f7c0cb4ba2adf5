"""The decision program: which route a request takes, given what is found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runtime.guards.guard import Guard
from runtime.program.effects import Effects, Target
from runtime.program.rules import Category, Has, Rule, SignalKind, SignalName, Signals, leaves, open_leaves
from runtime.program.signals.base import Signal
from runtime.program.view import Expired, View, never

WHOLE = 100.0
GUARD_WORK = 100
"""Steps that a byte of text takes a guard, at the worst."""


@dataclass(frozen=True, slots=True)
class Route:
    """One decision of the config.

    Attributes:
        name: the decision's name.
        rule: when it holds.
        targets: models and their shares in per cent, which add up to 100; empty where the answer is fixed.
        effects: what else it does.
    """

    name: str
    rule: Rule
    targets: tuple[tuple[Target, int], ...]
    effects: Effects = field(default_factory=Effects)

    def target(self, draw: float) -> Target:
        """The model for a number drawn from [0, 100): shares take up that range in their order."""
        end = 0
        for target, share in self.targets:
            end += share
            if draw < end:
                return target
        raise ValueError(f"{draw} is no number of [0, {WHOLE:.0f})")


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one request. ``route`` is None where no rule held and the default serves."""

    route: Route | None
    signals: Signals


@dataclass(frozen=True, slots=True)
class Undecided:
    """The outcome depends on the category, which takes a model to find out. ``signals`` are what is known so far."""

    signals: Signals


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
        guards: what holds for every request or response, in the order in which they act.
        keeps_answers: whether some route's answers are kept.
    """

    models: Mapping[str, Target]
    auto_names: tuple[str, ...]
    routes: tuple[Route, ...]
    default: str
    fallback: str | None = None
    signals: Mapping[SignalName, Signal] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()
    keeps_answers: bool = False

    @property
    def reads_responses(self) -> bool:
        """Whether some response must be read before the client gets it."""
        return self.keeps_answers or any(guard.on_response or guard.unmask for guard in self.guards)

    @property
    def needs(self) -> frozenset[SignalKind]:
        """What some route asks a model for."""
        asked = any(isinstance(leaf, Category) for route in self.routes for leaf in leaves(route.rule))
        return frozenset({"category"}) if asked else frozenset()

    @property
    def work(self) -> int:
        """Steps that a byte of text may take at the worst, over all guards and all signals that routes ask for."""
        asked = {leaf.name for route in self.routes for leaf in leaves(route.rule) if isinstance(leaf, Has)}
        guarding = GUARD_WORK * sum(guard.on_request for guard in self.guards)
        return guarding + sum(self.signals[name].work for name in asked)

    def decide(self, view: View, signals: Signals | None = None, expired: Expired = never) -> Decision | Undecided:
        """Find the first route whose rule holds, looking only at what its outcome depends on, the cheapest first.

        With a category in ``signals``, or without a text to find one in, the outcome is a `Decision`.

        Args:
            view: the request.
            signals: what is known already.
            expired: says when the time is up.

        Raises:
            OutOfTimeError: the time was up first.
        """
        known = signals or Signals()
        for route in self.routes:
            while (truth := route.rule.truth(known)) is None:
                leaf = self._cheapest(route.rule, known)
                if leaf is not None:
                    holds = self.signals[leaf.name].holds(view, expired)
                    matched = {**known.matched, leaf.name: holds}
                    known = Signals(known.category, known.probability, known.classified, matched)
                elif view.turn.strip():
                    return Undecided(known)
                else:  # only an image, say: it has no category, and there is nothing to ask a model about
                    known = self.classified(known, None, None)
            if truth:
                return Decision(route, known)
        return Decision(None, known)

    def classified(self, signals: Signals, category: str | None, probability: float | None) -> Signals:
        """The signals with the category that was found, or the fallback where none was."""
        found = self.fallback if category is None else category
        return replace(signals, category=found, probability=probability, classified=True)

    def _cheapest(self, rule: Rule, known: Signals) -> Has | None:
        asked = [leaf for leaf in open_leaves(rule, known) if isinstance(leaf, Has)]
        if len(asked) == 1:
            return asked[0]
        return min(asked, key=lambda leaf: (self.signals[leaf.name].cost, leaf.name), default=None)
