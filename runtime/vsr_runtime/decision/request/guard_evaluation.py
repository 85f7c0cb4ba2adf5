"""What guards make of one request: refused, sent elsewhere, masked, flagged, or let through as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import DeadlineExceededError, Expired
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
    too_long_response,
    unreadable_response,
)
from vsr_runtime.decision.request.json_body import JsonBody


@fast_dataclass(frozen=True, slots=True)
class GuardVerdict:
    """The request may go.

    Attributes:
        model: where it goes; None for an answer that no model gives.
        moved: whether a guard chose that.
        matches: which guards found something, or failed and let it pass.
        masks: what is to be masked, by guard.
    """

    model: str | None
    moved: bool = False
    matches: tuple[GuardMatch, ...] = ()
    masks: tuple[tuple[Guard, tuple[Match, ...]], ...] = ()


class GuardEvaluation:
    """The guards of one request and what they have found so far. Each looks once.

    Args:
        guards: those that read requests, in their order.
        body: the request.
        api: what it came by.
        expired: says when the time is up.

    Raises:
        OutOfTimeError: the time was up before the request's texts were collected.
    """

    def __init__(self, guards: Sequence[Guard], body: JsonBody, api: Api, expired: Expired) -> None:
        self._guards = tuple(guards)
        self._api = api
        self._expired = expired
        self.input = GuardInput(body.text, body.values, expired)
        self.placeholders = PlaceholderMap()
        self._found: dict[str, tuple[Match, ...] | Cause] = {}
        self._looks: dict[str, Sequence[Detection]] = {}
        self._missing: dict[str, Cause] = {}

    def rejection_before_routing(self) -> ImmediateResponse | None:
        """The refusal that holds wherever the request would go, found before anybody asks where."""
        for guard in self._guards:
            if guard.exempt or (guard.action != "block" and guard.detector is None):
                continue
            refused = self._unread(guard) if guard.detector is not None else self._refused(guard)
            if refused is not None:
                return refused
        return None

    def detector_texts(self, model: str | None) -> Mapping[str, Sequence[str]]:
        """The texts that detectors must look at; ``model`` where it is known already, so that exempt ones are not."""
        asked = {guard.detector for guard in self._guards if self._asks(guard, model) and guard.detector}
        return dict.fromkeys(sorted(asked), self.input.readings) if asked else {}

    def _asks(self, guard: Guard, model: str | None) -> bool:
        """Whether its detector must look: not where the guard cannot hold, nor where it refuses unread."""
        return (not model or guard.covers(model)) and self._unread(guard) is None

    def add_results(self, looks: Mapping[str, DetectorResult]) -> None:
        """Take in what detectors found, or why they did not."""
        for name, look in looks.items():
            if isinstance(look, Cause):
                self._missing[name] = look
            else:
                self._looks[name] = look

    def conclude(self, model: str | None) -> GuardVerdict | ImmediateResponse:
        """What becomes of the request, which would go to this model; None for an answer that no model gives."""
        goes = self._moved(model)
        if isinstance(goes, ImmediateResponse):
            return goes
        matches: list[GuardMatch] = []
        masks: list[tuple[Guard, tuple[Match, ...]]] = []
        for guard in self._guards:
            if not guard.covers(goes) and not (guard.action == "route" and guard.covers(model)):
                continue
            if guard.covers(goes):
                refused = self._refused(guard)
                if refused is not None:
                    return refused
            found = self._look(guard)
            if isinstance(found, Cause):
                matches.append(GuardMatch(guard.name, guard.action, found))
            elif found:
                matches.append(GuardMatch(guard.name, guard.action))
                if guard.action == "mask":
                    masks.append((guard, found))
        return GuardVerdict(goes, goes != model, tuple(matches), tuple(masks))

    def _moved(self, model: str | None) -> str | ImmediateResponse | None:
        """Where guards of the action ``route`` send it: to a model that all which found something agree on."""
        if model is None:
            return None
        found: list[Guard] = []
        for guard in self._guards:
            if guard.action == "route":
                refused = self._refused(guard) if guard.covers(model) else None
                if refused is not None:
                    return refused
                hits = self._look(guard)
                if isinstance(hits, tuple) and hits:
                    found.append(guard)
        moving = [guard for guard in found if guard.covers(model)]
        for goes in (model, *(guard.target for guard in moving)):
            if all(guard.target == goes or not guard.covers(goes) for guard in found):
                return goes
        return conflict_response(self._api, moving)

    def _refused(self, guard: Guard) -> ImmediateResponse | None:
        """The refusal by one guard: of what it cannot read, and by a `block` guard of what it finds."""
        unread = self._unread(guard)
        if unread is not None:
            return unread
        found = self._look(guard)
        if isinstance(found, Cause):
            return None if guard.passes_errors else guard_failed_response(self._api, guard, found)
        return blocked_response(self._api, guard) if found and guard.action == "block" else None

    def _unread(self, guard: Guard) -> ImmediateResponse | None:
        """The refusal of what a guard cannot read."""
        if self.input.tokens > guard.max_tokens:
            return too_long_response(self._api, guard)
        if self.input.unreadable and not guard.passes_unreadable:
            return unreadable_response(self._api, guard)
        return None

    def _look(self, guard: Guard) -> tuple[Match, ...] | Cause:
        if guard.name not in self._found:
            missing = self._missing.get(guard.detector or "")
            try:
                self._found[guard.name] = missing or self.input.matches(guard, self._expired, self._looks)
            except DeadlineExceededError:
                self._found[guard.name] = Cause.TIMEOUT
            except KeyError:
                self._found[guard.name] = Cause.BROKEN
        return self._found[guard.name]
