"""The decision program: which model serves a request, given what was found out about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.program.rules import Rule, SignalKind, Signals, needs


@dataclass(frozen=True, slots=True)
class Route:
    """One decision of the config: when its rule holds, its model serves."""

    name: str
    rule: Rule
    model: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one request. ``route`` is None where no rule held and the default serves."""

    model: str
    route: str | None


@dataclass(frozen=True, slots=True)
class Program:
    """A config made ready to decide.

    Attributes:
        models: the names that clients and routes can use, in the config's order.
        auto_names: the names by which a client lets the router choose.
        routes: by priority, highest first, then by name.
        default: the model that serves where no route holds.
        fallback: the category of a request that is like none of the classifier's; None where it has none then.
    """

    models: tuple[str, ...]
    auto_names: tuple[str, ...]
    routes: tuple[Route, ...]
    default: str
    fallback: str | None = None

    @property
    def needs(self) -> frozenset[SignalKind]:
        """The kinds of signal that some route asks for."""
        return frozenset().union(*(needs(route.rule) for route in self.routes))

    def settled(self, signals: Signals) -> Signals:
        """The signals with the fallback in place of a category that was not found."""
        return signals if signals.category is not None else replace(signals, category=self.fallback)

    def decide(self, signals: Signals) -> Decision:
        """Choose the model: the first route whose rule holds, else the default. Defined for every input."""
        for route in self.routes:
            if route.rule.holds(signals):
                return Decision(route.model, route.name)
        return Decision(self.default, None)
