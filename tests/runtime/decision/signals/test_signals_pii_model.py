"""PII signals that use a detector in addition to patterns."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.build_signals import build_model_signals, build_signals
from vsr_runtime.decision.request.detectors import merge_texts
from vsr_runtime.decision.request.events import Cause, ImmediateResponse, NeedSignals, RequestBody, SignalsReady
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, MachineConfig
from vsr_runtime.decision.signals.model_signals import ModelResults, build_pii_model
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.pii import ALL_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract

TURN = RequestView("ask Smith", 9, ("user",), history=("be kind", "ask Smith"))


class Names:
    """What a detector saw: Smith is a person, by 0.8."""

    def __init__(self, text: str) -> None:
        self.at = text.find("Smith")

    def spans(self, types, threshold):
        """Return Smith if the type is requested."""
        wanted = self.at >= 0 and threshold <= 0.8 and (types is None or "PERSON" in types)
        return [TextSpan(self.at, self.at + 5, "PERSON", 0.8, "names")] if wanted else []


def rule(*types: str, threshold: float = 0.7) -> contract.PiiRule:
    """A rule that looks for types everywhere."""
    allowed = sorted(ALL_TYPES - set(types))
    return contract.PiiRule(name="x", threshold=threshold, pii_types_allowed=allowed, include_history=True)


def seen(*texts: str) -> ModelResults:
    """What the detector saw in these texts."""
    return ModelResults(detections={"names": {text: Names(text) for text in texts}})


def test_a_text_with_one_of_the_types_is_enough():
    """Only requested types from the threshold on count; a text without a result keeps the signal unknown."""
    signal = build_pii_model(rule("PERSON"), "names")
    assert signal.texts(TURN) == ("be kind", "ask Smith")
    assert signal.evaluate(TURN, seen("be kind", "ask Smith")) is True
    assert signal.evaluate(TURN, seen("ask Smith")) is True
    assert signal.evaluate(TURN, seen("be kind")) is None
    assert signal.evaluate(TURN, ModelResults()) is None
    assert build_pii_model(rule("GPE"), "names").evaluate(TURN, seen("be kind", "ask Smith")) is False
    assert build_pii_model(rule("PERSON", threshold=0.9), "names").evaluate(TURN, seen("be kind", "ask Smith")) is False


def test_patterns_answer_first_where_they_can():
    """A type with a shape needs no model; one without has the detector only."""
    both = contract.Signals(pii=[rule("PERSON", "EMAIL_ADDRESS")])
    assert set(build_signals(both, {"x"})) == {("pii", "x")}
    assert set(build_model_signals(both, frozenset(), {}, {"x": "names"})) == {("pii_detector", "x")}
    names = contract.Signals(pii=[rule("PERSON")])
    assert set(build_signals(names, {"x"})) == set()
    with pytest.raises(UserError, match="every type that can be found without a model is allowed"):
        build_signals(names)


def test_invalid_rule_for_a_detector_is_rejected():
    """Nothing left to look for, a threshold that is none."""
    with pytest.raises(ValueError, match="every type is allowed"):
        build_pii_model(rule(), "names")
    with pytest.raises(ValueError, match="not a probability"):
        build_pii_model(rule("PERSON", threshold=2), "names")


def test_texts_of_guards_keep_their_places_in_a_joined_question():
    """Two texts that read alike are two texts of a guard: what was seen is counted by place."""
    assert merge_texts({"names": ("a", "a", "b")}, {"names": ("b", "c", "c"), "other": ("d",)}) == {
        "names": ("a", "a", "b", "c"),
        "other": ("d",),
    }


@pytest.fixture
def program(policy):
    """The sample policy with a first route for requests that name people or bring addresses."""
    config, runtime = policy / "router" / "config.yaml", policy / "router" / "runtime.yaml"
    yaml = YAML(typ="safe")
    given, settings = yaml.load(config.read_text()), yaml.load(runtime.read_text())
    signal = rule("PERSON", "EMAIL_ADDRESS").model_dump(mode="json", exclude_none=True)
    given["routing"]["signals"]["pii"] = [signal]
    rules = {"operator": "AND", "conditions": [{"type": "pii", "name": "x"}]}
    route = {
        "name": "personal",
        "description": "Names.",
        "priority": 200,
        "rules": rules,
        "modelRefs": [{"model": "phi4-mini"}],
    }
    given["routing"]["decisions"].append(route)
    checkpoint = {"repo": "a/b", "revision": "0" * 40, "kind": "token"}
    settings["classifiers"]["names"] = {
        "task": "pii",
        "checkpoint": checkpoint,
        "labels": ["PERSON"],
        "threshold": 0.5,
    }
    settings["detectors"] = {"pii": {"x": "names"}}
    for path, data in ((config, given), (runtime, settings)):
        with path.open("w") as file:
            yaml.dump(data, file)
    return load(config).program


def decided(program, content, looks):
    """Return the requested texts of a chat, and the final action."""
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": content}]}).encode()
    state, action = advance(
        MachineConfig(program, 1 << 20), AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(body)
    )
    question = action if isinstance(action, NeedSignals) else None
    if question:
        found = {
            name: looks if isinstance(looks, Cause) else [looks(each) for each in question.detector_texts[name]]
            for name in question.detector_texts
        }
        _, action = advance(MachineConfig(program, 1 << 20), state, SignalsReady("math", 0.9, found))
    return question, action


def test_route_depends_on_detections(program):
    """The detector does not run if a pattern matched; if it fails, the request is rejected."""
    question, action = decided(program, "ask Smith", Names)
    assert question.detector_texts == {"names": ("ask Smith",)}
    assert (action.model, action.route) == ("phi4-mini", "personal")
    assert decided(program, "ask nobody", Names)[1].route != "personal"
    question, action = decided(program, "ask a@example.org", Names)
    assert (question, action.route) == (None, "personal")
    _, action = decided(program, "ask Smith", Cause.OVERLOADED)
    assert isinstance(action, ImmediateResponse)
    assert action.status == 503


def test_a_guard_and_a_signal_share_a_look(program):
    """The detector runs once for the guard and the signal."""
    guard = Guard("names", "flag", (), detector="names", types=frozenset({"PERSON"}))
    question, action = decided(replace(program, guards=(guard,)), "ask Smith", Names)
    assert question.detector_texts == {"names": ("ask Smith",)}
    assert (action.route, [match.guard for match in action.guards]) == ("personal", ["names"])
