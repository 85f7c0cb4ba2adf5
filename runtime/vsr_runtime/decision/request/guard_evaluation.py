"""Evaluation of guards on one request: rejected, rerouted, masked, flagged, or unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import GuardInput, Match
from vsr_runtime.decision.guards.masking import PlaceholderMap
from vsr_runtime.decision.request.events import Cause, DetectorResult, GuardMatch, ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import (
    blocked_response,
    conflict_response,
    guard_failed_response,
    too_complex_response,
    too_long_response,
    unreadable_response,
)
from vsr_runtime.decision.request.json_body import JsonBody


@fast_dataclass(frozen=True, slots=True)
class GuardVerdict:
    """The request may be sent.

    Attributes:
        model: the model to send it to; None for a response without a model.
        moved: whether a guard chose the model.
        matches: guards that matched, or that failed and let the request pass.
        masks: matches to mask, by guard.
    """

    model: str | None
    moved: bool = False
    matches: tuple[GuardMatch, ...] = ()
    masks: tuple[tuple[Guard, tuple[Match, ...]], ...] = ()


class GuardEvaluation:
    """The guards of one request and their results. Each guard is evaluated once.

    Args:
        guards: the guards that read requests, in order.
        body: the request.
        api: the API of the request.
        expired: the deadline.

    Raises:
        BudgetExceededError: the body has too many texts, or texts within texts.
        DeadlineExceededError: the deadline passed before all texts were collected.
    """

    def __init__(self, guards: Sequence[Guard], body: JsonBody, api: Api, expired: Expired) -> None:
        self._guards = tuple(guards)
        self._api = api
        self._expired = expired
        self.input = GuardInput(body.text, body.values, expired)
        self.placeholders = PlaceholderMap()
        self._matches: dict[str, tuple[Match, ...] | Cause] = {}
        self._detections: dict[str, Sequence[Detection]] = {}
        self._failures: dict[str, Cause] = {}

    def rejection_before_routing(self) -> ImmediateResponse | None:
        """Return the rejection that applies to every model, before a model is chosen."""
        for guard in self._guards:
            if guard.exempt or (guard.action != "block" and guard.detector is None):
                continue
            rejection = self._unreadable_rejection(guard) if guard.detector is not None else self._rejection(guard)
            if rejection is not None:
                return rejection
        return None

    def detector_texts(self, model: str | None) -> Mapping[str, Sequence[str]]:
        """Return the texts that detectors must read. If ``model`` is known, guards exempt from it are skipped."""
        detectors = {guard.detector for guard in self._guards if self._needs_detector(guard, model) and guard.detector}
        return dict.fromkeys(sorted(detectors), self.input.readings) if detectors else {}

    def _needs_detector(self, guard: Guard, model: str | None) -> bool:
        """Return whether its detector must run: not if the guard does not apply or rejects without reading."""
        return (not model or guard.covers(model)) and self._unreadable_rejection(guard) is None

    def add_results(self, results: Mapping[str, DetectorResult]) -> None:
        """Add results of detectors, or the causes of their failure."""
        for name, result in results.items():
            if isinstance(result, Cause):
                self._failures[name] = result
            else:
                self._detections[name] = result

    def conclude(self, model: str | None) -> GuardVerdict | ImmediateResponse:
        """Return the verdict or rejection for a request to this model; None means a response without a model."""
        destination = self._reroute(model)
        if isinstance(destination, ImmediateResponse):
            return destination
        matches: list[GuardMatch] = []
        masks: list[tuple[Guard, tuple[Match, ...]]] = []
        for guard in self._guards:
            if not guard.covers(destination) and not (guard.action == "route" and guard.covers(model)):
                continue
            if guard.covers(destination):
                rejection = self._rejection(guard)
                if rejection is not None:
                    return rejection
            result = self._matches_of(guard)
            if isinstance(result, Cause):
                matches.append(GuardMatch(guard.name, guard.action, result))
            elif result:
                matches.append(GuardMatch(guard.name, guard.action))
                if guard.action == "mask":
                    masks.append((guard, result))
        return GuardVerdict(destination, destination != model, tuple(matches), tuple(masks))

    def _reroute(self, model: str | None) -> str | ImmediateResponse | None:
        """Return the model after guards with the action ``route``: one on which all matching guards agree."""
        if model is None:
            return None
        matching: list[Guard] = []
        for guard in self._guards:
            if guard.action == "route":
                rejection = self._rejection(guard) if guard.covers(model) else None
                if rejection is not None:
                    return rejection
                result = self._matches_of(guard)
                if isinstance(result, tuple) and result:
                    matching.append(guard)
        moving = [guard for guard in matching if guard.covers(model)]
        for destination in (model, *(guard.target for guard in moving)):
            if all(guard.target == destination or not guard.covers(destination) for guard in matching):
                return destination
        return conflict_response(self._api, moving)

    def _rejection(self, guard: Guard) -> ImmediateResponse | None:
        """Return the rejection by one guard: for unreadable content, or for matches of a `block` guard."""
        rejection = self._unreadable_rejection(guard)
        if rejection is not None:
            return rejection
        result = self._matches_of(guard)
        if result is Cause.TOO_COMPLEX:
            return too_complex_response(self._api, guard)
        if isinstance(result, Cause):
            return None if guard.passes_errors else guard_failed_response(self._api, guard, result)
        return blocked_response(self._api, guard) if result and guard.action == "block" else None

    def _unreadable_rejection(self, guard: Guard) -> ImmediateResponse | None:
        """Return the rejection for content that a guard cannot read."""
        if self.input.tokens > guard.max_tokens:
            return too_long_response(self._api, guard)
        if self.input.unreadable and not guard.passes_unreadable:
            return unreadable_response(self._api, guard)
        return None

    def _matches_of(self, guard: Guard) -> tuple[Match, ...] | Cause:
        if guard.name not in self._matches:
            failure = self._failures.get(guard.detector or "")
            try:
                self._matches[guard.name] = failure or self.input.matches(guard, self._expired, self._detections)
            except BudgetExceededError:
                self._matches[guard.name] = Cause.TOO_COMPLEX
            except DeadlineExceededError:
                self._matches[guard.name] = Cause.TIMEOUT
            except KeyError:
                self._matches[guard.name] = Cause.BROKEN
        return self._matches[guard.name]
