"""Counts of where a candidate decides otherwise. Labels hold configured names and our own codes, and are bounded."""

from __future__ import annotations

from collections.abc import Callable

from vsr_runtime.decision.request.ending import Ending, changes
from vsr_runtime.server.counters import Cell, Family

MAX_PAIRS = 100
"""Pairs of an active and a candidate value that have a series of their own; all others share one."""
OTHER = "(other)"
SKIPPED = ("cpu", "queue", "large")
OUTCOMES = ("same", "different", "undecided", "failed")


class ShadowMetrics:
    """The metrics of a candidate.

    Args:
        counter: makes a counter of a name, a text and labels.
        gauge: makes a gauge likewise.
    """

    def __init__(self, counter: Callable[..., Family], gauge: Callable[..., Family]) -> None:
        self._requests = counter("vsr_shadow_requests", "Requests that the candidate has decided, too.", "outcome")
        self._skipped = counter("vsr_shadow_skipped", "Requests that the candidate has not decided.", "reason")
        self._changed = counter("vsr_shadow_changed", "Requests that the candidate decides otherwise.", "change")
        pair = ("active", "candidate")
        self._models = counter("vsr_shadow_models", "Where such requests end by both policies.", *pair)
        self._routes = counter("vsr_shadow_routes", "The routes of such requests by both policies.", *pair)
        self._guards = counter("vsr_shadow_guards", "Guards that matched by one policy only.", "guard", "policy")
        self._info = gauge("vsr_shadow_candidate_info", "The candidate.", "sha256", "state", how="min")
        self._pairs: dict[Family, dict[tuple[str, ...], Cell]] = {}

    def begin(self) -> None:
        """Show zeros instead of nothing: this process may have a candidate."""
        for outcome in OUTCOMES:
            self._requests.labels(outcome)
        for reason in SKIPPED:
            self._skipped.labels(reason)
        for change in changes(Ending(), Ending()):
            self._changed.labels(change)

    def candidate(self, digest: str, state: str) -> None:
        """Show the candidate's content, and whether it is ``loaded`` or ``refused``."""
        self.no_candidate()
        self._info.labels(digest, state).set(1)

    def no_candidate(self) -> None:
        """Show that there is none."""
        self._info.clear()

    def skipped(self, reason: str) -> None:
        """Count a request that was not compared: ``cpu``, ``queue`` or ``large``."""
        self._skipped.labels(reason).inc()

    def ended(self, outcome: str) -> None:
        """Count the outcome of a request."""
        self._requests.labels(outcome).inc()

    def compared(self, active: Ending, candidate: Ending) -> bool:
        """Count a request that both have decided. Return whether they agree."""
        if active == candidate:
            self.ended("same")
            return True
        found = changes(active, candidate)
        if not any(found.values()):  # a status alone is no decision
            self.ended("same")
            return True
        self.ended("different")
        for change, holds in found.items():
            if holds:
                self._changed.labels(change).inc()
        if found["model"]:
            self._pair(self._models, active.end, candidate.end)
        if found["route"]:
            self._pair(self._routes, active.route, candidate.route)
        for guard in active.guards ^ candidate.guards:
            self._pair(self._guards, guard, "active" if guard in active.guards else "candidate")
        return False

    def _pair(self, family: Family, *values: str) -> None:
        known = self._pairs.setdefault(family, {})
        cell = known.get(values)
        if cell is None:
            label = values if len(known) < MAX_PAIRS else (OTHER,) * len(values)
            cell = family.labels(*label)
            if len(known) < MAX_PAIRS:
                known[values] = cell
        cell.inc()
