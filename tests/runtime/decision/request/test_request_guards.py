"""Guards in the state machine of a request: each action, their order, and every way in which one cannot look."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.deadline import DeadlineExceededError
from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.guards.guard import Guard, in_order
from vsr_runtime.decision.program.conditions import AllConditions
from vsr_runtime.decision.program.effects import Effects
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request.events import (
    Cause,
    Failure,
    GuardMatch,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, MachineConfig

MAX = 1 << 20


def finds(word: str, kind: str = "WORD", score: float = 1.0):
    """A finder of a word."""

    def find(normalised, expired):
        if expired():
            raise DeadlineExceededError
        at = normalised.text.lower().find(word)
        return [] if at < 0 else [TextSpan(*normalised.original(at, at + len(word)), kind, score, "test")]

    return find


def late(*_):
    """A finder whose time is up."""
    raise DeadlineExceededError


def guard(name: str, action="block", word="bomb", **more) -> Guard:
    """A guard that looks for a word."""
    return Guard(name, action, (finds(word, name.upper()),), **more)


def sent(program, guards, content="hello", model="auto", path=Api.CHAT.value, expired=None, **more):
    """What becomes of a body, as far as it takes no model to tell; of a chat unless a body is given."""
    rules = MachineConfig(replace(program, guards=in_order(guards)), MAX)
    body = more.pop("body", None) or {"model": model, "messages": [{"role": "user", "content": content}], **more}
    event = (
        RequestBody(json.dumps(body).encode()) if expired is None else RequestBody(json.dumps(body).encode(), expired)
    )
    state, action = advance(rules, AwaitsBody(ENDPOINTS[path], "one"), event)
    if isinstance(action, NeedSignals) and not action.detector_texts:
        _, action = advance(rules, state, SignalsReady("math", 0.9))
    return action


def error(answer: ImmediateResponse) -> dict:
    """The error of an answer."""
    return json.loads(answer.body)["error"]


@pytest.mark.parametrize("model", ["auto", "phi4-mini", "llama3-8b"])
def test_block_refuses_whoever_chose_the_model(program, model):
    """403, the guard's name as code, and nothing of the text."""
    answer = sent(program, [guard("bad")], "a BOMB", model)
    assert (answer.status, error(answer)["code"]) == (403, "guard:bad")
    assert "BOMB" not in answer.body.decode()
    assert answer.guards == (GuardMatch("bad", "block"),)


@pytest.mark.parametrize(("model", "counted"), [("auto", "phi4-mini"), ("llama3-8b", "llama3-8b")])
def test_refusal_says_which_model_it_was_for(program, model, counted):
    """Where it is known: named by the client, or chosen before the guard had the last word."""
    spared = guard("bad", exempt=frozenset({"another"}))
    assert sent(program, [spared], "a BOMB", model).model == counted
    assert sent(program, [guard("bad")], "a BOMB", "auto").model is None


def test_block_is_reported_in_the_form_of_the_api(program):
    """Anthropic's clients read errors in Anthropic's form."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "bomb"}], "max_tokens": 5}
    answer = sent(program, [guard("bad")], path=Api.MESSAGES.value, body=body)
    told = json.loads(answer.body)
    assert (told["type"], told["error"]["type"]) == ("error", "permission_error")


def test_embeddings_are_guarded_too(program):
    """They are text that leaves, like any other."""
    answer = sent(
        program, [guard("bad")], path=Api.EMBEDDINGS.value, body={"model": "phi4-mini", "input": ["x", "bomb"]}
    )
    assert answer.status == 403


def test_nothing_found_changes_nothing(program):
    """The request goes as it would without guards, and its response unread."""
    alone, guarded = sent(program, [], "2+2"), sent(program, [guard("bad")], "2+2")
    assert alone == guarded
    assert guarded.response is None


def test_mask_replaces_only_findings(program):
    """Every other byte stays, escapes and spaces too."""
    text = '{"model" :"phi4-mini", "messages":[ {"role":"user","content":"caf\\u00e9 \\/ a bomb\\n"}] ,"x":1E2}'
    rules = MachineConfig(replace(program, guards=(guard("bad", "mask"),)), MAX)
    _, action = advance(rules, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(text.encode()))
    assert action.body.decode() == text.replace("bomb", "[BAD_1]")
    assert ("content-length", str(len(action.body))) in action.set_headers


def test_masks_of_several_guards_and_the_route_s_edits_go_together(program):
    """The model's name is rewritten in the masked body."""
    action = sent(program, [guard("one", "mask"), guard("two", "mask", "gun")], "bomb and gun 2+2")
    sent_body = json.loads(action.body)
    assert sent_body["messages"][0]["content"] == "[ONE_1] and [TWO_1] 2+2"
    assert sent_body["model"] == "phi4-mini"


def test_route_sends_elsewhere_and_blocks_come_first(program):
    """A guard's route replaces the decision's; what is blocked goes nowhere."""
    moved = sent(program, [guard("in-house", "route", target="llama3-8b")], "bomb 2+2")
    assert (moved.model, moved.route) == ("llama3-8b", None)
    both = [guard("in-house", "route", target="llama3-8b"), guard("zzz", word="2+2")]
    assert sent(program, both, "bomb 2+2").status == 403


def test_conflicting_route_guards_are_rejected(program):
    """A request can be at one model only; neither guard is passed over."""
    guards = [guard("a", "route", target="llama3-8b"), guard("b", "route", target="phi4-mini")]
    answer = sent(program, guards, "bomb")
    assert answer.status == 403
    assert {match.guard for match in answer.guards} == {"a", "b"}
    agreed = [guards[0], guard("b", "route", target="phi4-mini", exempt=frozenset({"llama3-8b"}))]
    assert sent(program, agreed, "bomb").model == "llama3-8b"


def test_exemptions_are_about_where_a_request_ends(program):
    """After decisions and guards' routes, not before."""
    free = guard("bad", exempt=frozenset({"phi4-mini"}))
    assert sent(program, [free], "bomb", "phi4-mini").model == "phi4-mini"
    assert sent(program, [free], "bomb 2+2").model == "phi4-mini"
    assert sent(program, [free], "bomb", "llama3-8b").status == 403
    moved = guard("in-house", "route", target="phi4-mini")
    assert sent(program, [free, moved], "bomb", "llama3-8b").model == "phi4-mini"


def test_flag_is_a_header_for_the_backend(program):
    """Names in the order of the guards."""
    action = sent(program, [guard("b", "flag"), guard("a", "flag")], "bomb")
    assert ("x-vsr-guards", "a, b") in action.set_headers


def test_threshold_applies_to_detectors_only(program):
    """A pattern's score says why it counts, not whether."""
    weak = Guard("weak", "block", (finds("bomb", score=0.6),), threshold=0.99)
    assert sent(program, [weak], "bomb").status == 403


@pytest.mark.parametrize("action", ["block", "mask", "flag", "route"])
def test_guard_that_is_late_refuses_unless_the_policy_lets_errors_pass(program, action):
    """503 by default; with `onError: pass` the request is sent and the failure is counted."""
    slow = Guard("slow", action, (late,), target="phi4-mini" if action == "route" else None)
    answer = sent(program, [slow], "hi", "llama3-8b")
    assert (answer.status, error(answer)["code"]) == (503, "guard_failed:slow")
    passed = sent(program, [replace(slow, passes_errors=True)], "hi", "llama3-8b")
    assert passed.guards == (GuardMatch("slow", action, Cause.TIMEOUT),)


def test_request_after_its_deadline_is_rejected(program):
    """Where not even the texts could be collected."""
    answer = sent(program, [guard("bad", passes_errors=True)], "hi", "llama3-8b", expired=lambda: True)
    assert (answer.status, answer.code) == (503, "classifier_timeout")


@pytest.mark.parametrize("action", ["block", "mask", "flag"])
def test_text_longer_than_a_guard_reads_is_rejected(program, action):
    """413, wherever the text is; the guard never reads only a part of it."""
    small = guard("small", action, max_tokens=10)
    assert isinstance(sent(program, [small], "x" * 36), SendToModel)
    assert sent(program, [small], "x" * 44).status == 413
    assert sent(program, [small], "x", metadata={"a": "y" * 44}).status == 413


PICTURE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBO" * 50}}]
SOUND = [{"type": "input_audio", "input_audio": {"data": "UklG" * 50, "format": "wav"}}]
FILE = [{"type": "file", "file": {"file_id": "file-123"}}]
UNTYPED = [{"image_url": "https://x.example/a.png"}]
DOCUMENT = [{"type": "document", "source": {"type": "base64", "data": "JVBE" * 50}}]


@pytest.mark.parametrize("content", [PICTURE, SOUND, FILE, UNTYPED, DOCUMENT])
def test_unreadable_content_is_rejected_unless_the_policy_passes_it(program, content):
    """415: an image may say anything."""
    answer = sent(program, [guard("bad")], content, "phi4-mini")
    assert (answer.status, error(answer)["code"]) == (415, "unreadable:bad")
    assert isinstance(sent(program, [guard("bad", passes_unreadable=True)], content, "phi4-mini"), SendToModel)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (Api.COMPLETIONS.value, {"prompt": [1, 2, 3]}),
        (Api.COMPLETIONS.value, {"prompt": [[1, 2], [3]]}),
        (Api.EMBEDDINGS.value, {"input": [[1, 2]]}),
        (Api.COMPLETIONS.value, {"prompt": "x", "prompt_token_ids": [1]}),
        (Api.COMPLETIONS.value, {"prompt": "x", "prompt_embeds": "aGk="}),
    ],
)
def test_token_ids_cannot_be_read_either(program, path, body):
    """Text that no guard can read is rejected like an image."""
    assert sent(program, [guard("bad")], path=path, body={"model": "phi4-mini", **body}).status == 415


def test_readable_documents_and_schemas_that_speak_of_images_are_no_images(program):
    """A schema's property may be called image_url; a document's source may be text, and is read."""
    tool = {
        "type": "function",
        "function": {"name": "f", "parameters": {"properties": {"image_url": {"type": "string"}}}},
    }
    assert isinstance(sent(program, [guard("bad")], "hi", "phi4-mini", tools=[tool]), SendToModel)
    document = [{"type": "document", "source": {"type": "text", "data": "a bomb"}}]
    assert sent(program, [guard("bad")], document, "phi4-mini").status == 403


def test_text_under_a_picture_s_name_is_still_read(program):
    """Where images pass, text does not pass as one."""
    hidden = [{"type": "image_url", "image_url": {"url": "x"}, "text": "bomb"}]
    answer = sent(program, [guard("bad", passes_unreadable=True)], hidden, "phi4-mini")
    assert answer.status == 403


def test_fixed_answers_are_guarded_like_models(program):
    """Guards also apply to static responses; an exemption for a model does not cover them."""
    fixed = replace(
        program, routes=(PolicyRoute("closed", AllConditions(()), (), Effects(static_response="We are closed.")),)
    )
    free = guard("bad", exempt=frozenset({"phi4-mini"}))
    assert sent(fixed, [free], "bomb").status == 403
    answer = sent(fixed, [guard("watch", "flag")], "bomb")
    assert (answer.status, answer.route, answer.guards) == (200, "closed", (GuardMatch("watch", "flag"),))


JUDGE = Guard("judge", "block", (), detector="checkpoint", threshold=0.5)


def looked(program, guards, looks, content="hello there", model="llama3-8b"):
    """What becomes of a chat when detectors have looked; the question, too."""
    rules = MachineConfig(replace(program, guards=in_order(guards)), MAX)
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}]}).encode()
    state, question = advance(rules, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(body))
    return question, advance(rules, state, SignalsReady("math", 0.9, looks))[1] if isinstance(
        question, NeedSignals
    ) else question


@pytest.mark.parametrize(("score", "status"), [(0.9, 403), (0.4, None)])
def test_detector_runs_once_for_all_guards_and_its_score_decides(program, score, status):
    """Several guards that name one detector cost one look; patterns and detector together make a guard."""
    twice = [JUDGE, replace(JUDGE, name="second", action="flag")]
    question, action = looked(
        program, twice, {"checkpoint": [TextVerdict(TextSpan(0, 5, "JAILBREAK", score, "checkpoint"))]}
    )
    assert question.detector_texts == {"checkpoint": ("hello there",)}
    assert question.kinds == frozenset()
    assert (action.status if isinstance(action, ImmediateResponse) else None) == status


def test_detector_and_category_are_requested_together(program):
    """One wait for both."""
    question, action = looked(
        program, [JUDGE], {"checkpoint": [TextVerdict(TextSpan(0, 5, "x", 0.1, "checkpoint"))]}, "hello there", "auto"
    )
    assert question.kinds == {"category"}
    assert question.detector_texts
    assert action.model == "phi4-mini"


@pytest.mark.parametrize("looks", [{"checkpoint": Cause.BROKEN}, {"checkpoint": Cause.OVERLOADED}, {}])
def test_detector_that_fails_counts_as_the_policy_says(program, looks):
    """Also if the detector gave no result."""
    assert looked(program, [JUDGE], looks)[1].status == 503
    assert isinstance(looked(program, [replace(JUDGE, passes_errors=True)], looks)[1], SendToModel)


def test_exempt_models_cost_no_look(program):
    """A detector only runs if its guard applies."""
    question, _ = looked(program, [replace(JUDGE, exempt=frozenset({"llama3-8b"}))], {})
    assert isinstance(question, SendToModel)


def test_failure_of_everything_is_undecided(program):
    """As without guards."""
    rules = MachineConfig(replace(program, guards=(JUDGE,)), MAX)
    body = json.dumps({"model": "phi4-mini", "messages": [{"role": "user", "content": "x"}]}).encode()
    state, _ = advance(rules, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(body))
    assert advance(rules, state, Failure(Cause.TIMEOUT))[1].status == 503


def test_response_is_planned_only_where_it_must_be_read(program):
    """For guards of responses that cover the model, and for masks that are undone."""
    both = guard("bad", "flag", on_response=True, exempt=frozenset({"phi4-mini"}))
    assert sent(program, [both], "hi", "phi4-mini").response is None
    planned = sent(program, [both], "hi", "llama3-8b")
    assert [each.name for each in planned.response.guards] == ["bad"]
    assert "accept-encoding" in planned.remove_headers
    masked = sent(program, [guard("pii", "mask", unmask=True), guard("key", "mask", "gun")], "bomb gun", "phi4-mini")
    assert masked.response.restore == {"[PII_1]": "bomb"}
    assert "bomb" not in repr(masked)


def test_guards_hold_where_an_undecided_request_goes_to_the_default(program, chat):
    """A category that cannot be had is no way past a guard: masked all the same, on the way to the default."""
    rules = MachineConfig(replace(program, guards=(guard("bad", "mask"),)), MAX, default_on_failure=True)
    waiting = AwaitsBody(ENDPOINTS[Api.CHAT.value], "one")
    state, _ = advance(rules, waiting, RequestBody(chat("auto", "a bomb")))
    _, action = advance(rules, state, SignalsReady(missing=Cause.BROKEN))
    assert isinstance(action, SendToModel)
    assert (action.model, action.cause) == ("llama3-8b", Cause.BROKEN)
    assert "bomb" not in action.body.decode()
