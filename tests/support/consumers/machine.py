"""The router that our runtime is, by the state machine that serves; what models would say, tests say."""

from __future__ import annotations

from dataclasses import dataclass

from support.consumers.envoy import Reply, Request, Routed
from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.request.events import (
    Action,
    Continue,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig, State
from vsr_runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class MachineRouter:
    """A router with these settings, to which no text looks like an attack and no category fits."""

    settings: Settings

    def on_headers(self, request: Request) -> Reply | None:
        """Let the machine read the headers."""
        _, action = self._started(request)
        return None if isinstance(action, Continue) else _reply(action)

    def on_body(self, request: Request) -> Reply | Routed:
        """Let the machine decide."""
        state, _ = self._started(request)
        rules = self._rules()
        state, action = advance(rules, state, RequestBody(request.body))
        if isinstance(action, NeedSignals):
            verdicts = {
                name: [TextVerdict(TextSpan(0, len(text), "benign", 0.0, name)) for text in texts]
                for name, texts in action.detector_texts.items()
            }
            state, action = advance(rules, state, SignalsReady(None, 0.9, verdicts, {}))
        return _routed(action)

    def on_attempt(self, request: Request) -> Reply | Routed:
        """Let the machine choose the model of an attempt."""
        state, action = self._started(request, attempt=True)
        if not isinstance(action, Continue):
            return _reply(action)
        return _routed(advance(self._rules(), state, RequestBody(request.body))[1])

    def _rules(self) -> MachineConfig:
        return MachineConfig(self.settings.program, self.settings.limits.maxBody)

    def _started(self, request: Request, *, attempt: bool = False) -> tuple[State, Action]:
        first = ((":method", request.method), (":path", request.path), (":authority", request.host))
        headers = (*first, ("content-type", "application/json"), *request.headers.items())
        event = RequestHeaders(headers, end_of_stream=not request.body)
        return advance(self._rules(), AwaitsHeaders(attempt), event)


def _routed(action: Action) -> Reply | Routed:
    if isinstance(action, SendToModel):
        return Routed(dict(action.set_headers), action.remove_headers, action.body)
    return _reply(action)


def _reply(action: Action) -> Reply:
    if not isinstance(action, ImmediateResponse):
        raise TypeError(f"not an answer: {action}")
    return Reply(action.status, action.body)
