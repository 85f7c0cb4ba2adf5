"""What must hold in every state of a change, and the steps to a state in which it does not.

A request that the old and the new version serve is served by a model that one of them selects, with the same guards, or
gets a 503, on which clients retry. A request that both reject is rejected. What a guard of both masks is never shown to
a server, and a provider never gets the key of another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from support.consumers.envoy import Request
from support.rollouts.cluster import Cluster, State, Step
from support.rollouts.delivery import Delivery
from support.rollouts.serving import Answer, Serving
from support.rollouts.versions import ABSENT, Versions

LIMIT = 60_000
"""States of one change that are explored at most."""


class TooManyStatesError(Exception):
    """A change has more states than are explored: nothing is proved."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A request, an answer that it must not get, and the steps to the state in which it does."""

    request: str
    answer: Answer
    expected: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        """Return the trace, a line for each step."""
        lines = [*self.steps, f"{self.request}: {self.answer.status} by {self.answer.by}{self._model()}"]
        return "\n".join([*(f"  {line}" for line in lines), f"  expected: {self.expected}, or 503"])

    def _model(self) -> str:
        return f", model {self.answer.model}" if self.answer.model else ""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one change.

    Attributes:
        states: The number of states.
        counterexample: The shortest way to a wrong answer; None if there is none.
        window: The longest time in seconds for which some request can get 503 without a pause.
    """

    states: int
    counterexample: Counterexample | None
    window: int = 0


def prove(
    versions: Versions,
    delivery: Delivery,
    requests: Mapping[str, Request],
    *,
    fails: bool = False,
    tolerated: Iterable[str] = (),
) -> Result:
    """Explore every state of a change.

    Args:
        versions: The old and the new version.
        delivery: The order in which it is applied.
        requests: Requests by what they are called in a trace.
        fails: Whether the sync can fail in every state, after which the old version is applied again.
        tolerated: Who may answer a 500 for a while: documented limits of other projects.
    """
    cluster = Cluster(versions, delivery(versions), fails=fails)
    serving = Serving(cluster)
    expected = _expected(cluster, serving, requests)
    tolerated = frozenset(tolerated)
    start = cluster.initial()
    came: dict[State, tuple[State, str] | None] = {start: None}
    steps: dict[State, list[Step]] = {}
    unavailable: dict[State, set[str]] = {}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for name, request in requests.items():
            for answer in serving.answers(state, request):
                if answer.status == 503 or answer.by in tolerated:
                    unavailable.setdefault(state, set()).add(name)
                elif not expected.allows(name, answer):
                    trace = _trace(came, state)
                    return Result(len(came), Counterexample(name, answer, expected.words(name), trace))
        steps[state] = list(cluster.steps(state))
        for step in steps[state]:
            if step.after not in came:
                came[step.after] = state, step.text
                queue.append(step.after)
                if len(came) > LIMIT:
                    raise TooManyStatesError(f"more than {LIMIT} states")
    return Result(len(came), None, _window(steps, unavailable, expected.both))


@dataclass(frozen=True, slots=True)
class _Expected:
    """The answers of the old and the new version alone, by request."""

    old: Mapping[str, frozenset[Answer]]
    new: Mapping[str, frozenset[Answer]]
    places: frozenset[str]

    @property
    def both(self) -> frozenset[str]:
        """The requests that both versions serve."""
        return frozenset(name for name in self.old if _serves(self.old[name]) and _serves(self.new[name]))

    def allows(self, name: str, answer: Answer) -> bool:
        """Return whether a request may get an answer."""
        old, new = self.old[name], self.new[name]
        steady = old | new
        if answer.model:
            # Never another model, more than both versions show, or the key of another provider.
            models = {item.model for item in steady}
            shown = {item.shown for item in steady if item.model}
            return answer.model in models and answer.shown in shown and answer.place in self.places
        if _serves(old) and _serves(new):
            return False
        return (not (_serves(old) or _serves(new)) and answer.status in {item.status for item in steady}) or (
            _serves(old) != _serves(new)
        )

    def words(self, name: str) -> str:
        """Return the answers of both versions in words."""
        steady = sorted({f"{item.status} {item.model}".strip() for item in self.old[name] | self.new[name]})
        return " or ".join(steady)


def _serves(answers: frozenset[Answer]) -> bool:
    return all(answer.model for answer in answers)


def _expected(cluster: Cluster, serving: Serving, requests: Mapping[str, Request]) -> _Expected:
    old, new = (
        {name: serving.answers(_steady(cluster, side), request) for name, request in requests.items()}
        for side in (0, 1)
    )
    places = {answer.place for answers in (*old.values(), *new.values()) for answer in answers if answer.model}
    return _Expected(old, new, frozenset(places))


def _steady(cluster: Cluster, side: int) -> State:
    versions = cluster.versions
    live = versions.initial(side)
    pods = tuple(
        frozenset({versions.template(name, side)} if live[cluster.index[name]] != ABSENT else ())
        for name in cluster.deployments
    )
    return State(live, pods, live, live, side, 1, 0)


def _trace(came: Mapping[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    steps: list[str] = []
    while (before := came[state]) is not None:
        state = before[0]
        steps.append(before[1])
    return tuple(reversed(steps))


def _window(steps: Mapping[State, list[Step]], unavailable: Mapping[State, set[str]], served: frozenset[str]) -> int:
    """Return the longest way through states in which one request gets 503. Without failed syncs there is no cycle."""
    longest = 0
    for name in sorted(served):
        lengths: dict[State, int] = {}
        for state in reversed(list(steps)):
            if name not in unavailable.get(state, ()):
                continue
            after = [step.seconds + lengths.get(step.after, 0) for step in steps[state] if step.after != state]
            lengths[state] = max(after, default=0)
        longest = max([longest, *lengths.values()])
    return longest


@dataclass(slots=True)
class Summary:
    """What was proved about many changes: numbers, and the longest window by kind of change."""

    pairs: int = 0
    states: int = 0
    in_two_steps: int = 0
    windows: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, result: Result) -> None:
        """Count a result without a counterexample."""
        self.pairs += 1
        self.states += result.states
        self.windows[kind] = max(self.windows.get(kind, 0), result.window)

    def __str__(self) -> str:
        """Return a table."""
        head = f"{self.pairs} changes ({self.in_two_steps} of them in two steps), {self.states} states"
        return "\n".join([head, *(f"{seconds:5} s  {kind}" for kind, seconds in sorted(self.windows.items()))])
