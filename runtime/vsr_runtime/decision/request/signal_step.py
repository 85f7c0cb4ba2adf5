"""Decides a request whose body was read: without models if possible, otherwise by their results."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.conversation.choice import Judged
from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.program.conditions import OF_REQUEST
from vsr_runtime.decision.program.outcome import Decision, Undecided
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.detectors import merge_texts, missing_cause
from vsr_runtime.decision.request.dispatch import dispatch
from vsr_runtime.decision.request.events import Action, Cause, ImmediateResponse, NeedSignals, SendToModel, SignalsReady
from vsr_runtime.decision.request.immediate_responses import undecided_response
from vsr_runtime.decision.request.outcomes import Outcomes, conclude, concluded, first_outcomes
from vsr_runtime.decision.request.parsed_request import ParsedRequest
from vsr_runtime.decision.request.states import AwaitsSignals, Decided, MachineConfig, State


def decide_parsed(program: Program, parsed: ParsedRequest, expired: Expired) -> tuple[State, Action]:
    """Decide without models if possible; otherwise request all model results at once."""
    known = None if parsed.view is None else first_outcomes(program, parsed.view, expired, parsed.demand)
    if known is not None and parsed.evaluation is None and len(known.outcomes) == 1:
        outcome = known.outcomes[0]
        if isinstance(outcome, Decision):  # as most requests are that need no model
            return Decided(), dispatch(program, parsed, outcome, known.candidates[0].view)
    undecided = known is not None and bool(known.undecided)
    if undecided or parsed.evaluation:
        guard_texts = parsed.evaluation.detector_texts(parsed.named_model) if parsed.evaluation else {}
        texts = merge_texts(guard_texts, known.detectors if known else {})
        if known is not None and parsed.view is not None and (undecided or texts):
            whole = parsed.view.text(everywhere=True) if known.kinds & OF_REQUEST.keys() else ""
            *earlier, text = known.texts or (known.candidates[-1].view.subject,)
            return AwaitsSignals(parsed, known, texts), NeedSignals(text, known.kinds, texts, whole, tuple(earlier))
        if texts:
            return AwaitsSignals(parsed, None, texts), NeedSignals("", frozenset(), texts)
    return Decided(), _dispatch_judged(program, parsed, None if known is None else _concluded(program, parsed, known))


def _concluded(program: Program, parsed: ParsedRequest, known: Outcomes) -> Judged:
    return concluded(program, known, parsed.split_seed)


def on_signals(config: MachineConfig, state: AwaitsSignals, ready: SignalsReady) -> SendToModel | ImmediateResponse:
    """Decide with the results of models. Without a result that is needed, do what the policy says of failures."""
    program, parsed, known = state.program or config.program, state.parsed, state.known
    if program is not config.program:
        config = replace(config, program=program)
    if parsed.evaluation:
        parsed.evaluation.add_results(ready.detections)
    if ready.missing is not None:
        return _on_failure(config, parsed, ready.missing)
    if known is None:
        return dispatch(program, parsed, None, parsed.view)
    judged = conclude(program, known, state.detector_texts, ready, parsed.split_seed, parsed.demand)
    if isinstance(judged, Undecided):  # a required model result is missing
        return _on_failure(config, parsed, missing_cause(judged, ready.detections))
    return _dispatch_judged(program, parsed, judged)


def _dispatch_judged(program: Program, parsed: ParsedRequest, judged: Judged | None) -> SendToModel | ImmediateResponse:
    """Dispatch by the ask that decides the request; None if the client named the model."""
    if judged is None:
        return dispatch(program, parsed, None, parsed.view)
    return dispatch(program, parsed, judged.decision, judged.candidate.view)


def _on_failure(config: MachineConfig, parsed: ParsedRequest, cause: Cause) -> SendToModel | ImmediateResponse:
    """Return an error, or dispatch to the default model if the policy allows it. Guards still apply."""
    if not config.default_on_failure:
        return undecided_response(cause)
    action = dispatch(config.program, parsed, None, parsed.view)
    return replace(action, cause=cause) if action.cause is None else action
