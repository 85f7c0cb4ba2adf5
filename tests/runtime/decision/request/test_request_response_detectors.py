"""Detectors on responses: whole ones at once, streams in parts, each part before it goes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import (
    Cause,
    GuardMatch,
    NeedSignals,
    RequestBody,
    ResponsePlan,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.response_events import (
    BodyOutput,
    DetectionsReady,
    NeedDetections,
    ResponseBody,
    ResponseDone,
    ResponseHeaders,
)
from vsr_runtime.decision.request.response_machine import (
    AwaitsResponseHeaders,
    AwaitsWhole,
    Streaming,
    advance_response,
)
from vsr_runtime.decision.request.response_stream import ResponseStream
from vsr_runtime.decision.request.states import AwaitsBody, MachineConfig
from vsr_runtime.decision.request.text_channel import DETECTOR_CONTEXT, DETECTOR_STEP, MAX_UNREAD

NAMES = Guard("names", "mask", (), detector="persons", types=frozenset({"PERSON"}), on_response=True)
JUDGE = Guard("judge", "block", (), detector="judge", on_response=True)
WATCH = Guard("watch", "flag", (), detector="judge", on_response=True)


class Persons:
    """Every run of words with a capital is a person."""

    def __init__(self, text: str) -> None:
        self.text = text

    def spans(self, types, _):
        """The runs."""
        found = re.finditer(r"\b[A-Z]\w*(?: [A-Z]\w*)*", self.text)
        return [
            TextSpan(*each.span(), "PERSON", 1.0, "persons") for each in found if types is None or "PERSON" in types
        ]


def judged(text: str) -> TextVerdict:
    """An attack where the text says so."""
    return TextVerdict(TextSpan(0, len(text), "jailbreak", 0.9 if "evil" in text else 0.1, "judge"))


DETECTORS = {"persons": Persons, "judge": judged}


def looks(texts_by_detector, fails=()):
    """What the detectors see, and the texts for the record."""
    return {
        name: Cause.BROKEN if name in fails else [DETECTORS[name](text) for text in texts]
        for name, texts in texts_by_detector.items()
    }


def driven(state, event, requests, fails=()):
    """Take one step, and run the detectors that it needs."""
    state, action = advance_response(state, event)
    while isinstance(action, NeedDetections):
        requests.append(action.detector_texts)
        state, action = advance_response(state, DetectionsReady(looks(action.detector_texts, fails)))
    return state, action


def whole(document, *guards, fails=()):
    """Return the action for a document, and the texts that detectors read."""
    requests: list = []
    state = AwaitsWhole(ResponsePlan(Api.CHAT, guards))
    state, action = driven(state, ResponseBody(json.dumps(document).encode(), end_of_stream=True), requests, fails)
    assert state == ResponseDone()
    return action, requests


def completion(text, **more):
    """A chat completion."""
    message = {"role": "assistant", "content": text, **more}
    return {
        "id": "chatcmpl-Smith",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "Big",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def test_document_is_read_whole_in_one_step():
    """Masked in place, blocked, or flagged; detectors do not read the server's metadata."""
    masked, requests = whole(completion('ask "Jane Smith" now'), NAMES)
    assert json.loads(masked.body)["choices"][0]["message"]["content"] == 'ask "[PERSON_1]" now'
    assert json.loads(masked.body)["id"] == "chatcmpl-Smith"
    assert [set(texts) - {""} for texts_by_detector in requests for texts in texts_by_detector.values()] == [
        {'ask "Jane Smith" now'}
    ]
    refused, requests = whole(completion("evil things"), NAMES, JUDGE)
    assert (refused.status, refused.code) == (403, "guard:judge")
    assert [sorted(texts_by_detector) for texts_by_detector in requests] == [["judge", "persons"]]
    flagged, _ = whole(completion("evil things"), WATCH)
    assert flagged.set_headers == (("x-vsr-guards", "watch"),)
    assert whole(completion("harmless"), NAMES, JUDGE, WATCH)[0] == BodyOutput(None)


def test_detectors_read_tool_input_under_any_key():
    """There `id` is the model's own word."""
    document = {"id": "msg_1", "content": [{"type": "tool_use", "id": "toolu_1", "input": {"id": "Smith"}}]}
    masked, _ = whole(document, NAMES)
    assert json.loads(masked.body)["content"][0]["input"] == {"id": "[PERSON_1]"}


def test_document_is_rejected_if_its_detector_fails_unless_errors_pass():
    """502 by default, because nothing has read it."""
    refused, _ = whole(completion("hello"), JUDGE, fails=("judge",))
    assert (refused.status, refused.code) == (502, "guard_failed:judge")
    passed, _ = whole(completion("hello"), replace(JUDGE, passes_errors=True), fails=("judge",))
    assert passed.guards == (GuardMatch("judge", "block", Cause.BROKEN),)


def chunk(text, finish=None):
    """An event of a chat stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    event = {"id": "chatcmpl-Smith", "object": "chat.completion.chunk", "created": 1700000000, "choices": [choice]}
    return f"data: {json.dumps(event)}\n\n".encode()


def parts(text, size):
    """A stream that says a text in deltas of this size."""
    return [*(chunk(text[at : at + size]) for at in range(0, len(text), size)), b"data: [DONE]\n\n"]


def streamed(pieces, *guards, fails=(), restore=None):
    """Return what a client received after each chunk, and the texts that detectors read."""
    requests: list = []
    headers = ResponseHeaders((("content-type", "text/event-stream"),), end_of_stream=False)
    state, _ = advance_response(AwaitsResponseHeaders(ResponsePlan(Api.CHAT, guards, restore or {})), headers)
    out, found = [], []
    for place, piece in enumerate(pieces):
        event = ResponseBody(piece, end_of_stream=place + 1 == len(pieces))
        state, action = driven(state, event, requests, fails)
        out.append(piece if action.body is None else action.body)
        found += action.guards
        assert isinstance(state, Streaming | ResponseDone)
    return out, requests, found


def content(data: bytes) -> str:
    """The text of a chat stream."""
    events = [json.loads(line[6:]) for line in data.decode().split("\n") if line.startswith("data: {")]
    return "".join(choice["delta"].get("content", "") for event in events for choice in event.get("choices", ()))


LONG = "the quick brown fox jumps over the lazy dog and then it rests for a while under the old tree. "


def test_text_is_released_by_sentence_after_detection():
    """Not before enough of it has come, and at the latest when it ends."""
    out, requests, _ = streamed(parts(LONG * 6 + "the end", 16), JUDGE)
    gone = [len(content(b"".join(out[: at + 1]))) for at in range(len(out))]
    assert gone[-1] == len(LONG) * 6 + 7
    steps = [after for before, after in pairwise(gone) if after > before]
    assert all(step % len(LONG) == 0 for step in steps[:-1])
    assert len(requests) == len(steps)
    assert all(at * 16 - done <= DETECTOR_STEP + len(LONG) + 16 for at, done in enumerate(gone[:-2], 1))


def test_nothing_of_a_bad_sentence_goes():
    """What came before it has gone; then the text ends with an error, whatever the backend still says."""
    out, _, _ = streamed([*parts(LONG * 4 + "here is evil advice. " + LONG * 4, 16)], JUDGE)
    data = b"".join(out)
    assert content(data) in LONG * 4
    assert content(data)
    assert b"evil" not in data
    assert b"guard:judge" in data
    assert data.endswith(b"data: [DONE]\n\n")


def test_a_detector_that_fails_ends_the_stream_unless_errors_pass():
    """Fail closed, and counted where it passes."""
    pieces = parts(LONG * 4, 16)
    data = b"".join(streamed(pieces, JUDGE, fails=("judge",))[0])
    assert content(data) == ""
    assert b"guard_failed:judge" in data
    out, _, found = streamed(pieces, replace(JUDGE, passes_errors=True), fails=("judge",))
    assert content(b"".join(out)) == LONG * 4
    assert found == [GuardMatch("judge", "block", Cause.BROKEN)]


def test_flags_of_a_stream_are_reported_once():
    """The text goes on."""
    out, _, found = streamed(parts("evil. " + LONG * 6, 16), WATCH)
    assert content(b"".join(out)) == "evil. " + LONG * 6
    assert found == [GuardMatch("watch", "flag")]


def test_client_values_are_restored_after_detection():
    """The detector reads placeholders; the client gets its own words."""
    out, requests, _ = streamed(parts("dear [person_1], hello.", 3), JUDGE, restore={"[person_1]": "evil Jane"})
    assert content(b"".join(out)) == "dear [person_1], hello."
    out, requests, _ = streamed(parts("dear [NAME_1], hello.", 3), JUDGE, restore={"[NAME_1]": "evil Jane"})
    assert content(b"".join(out)) == "dear evil Jane, hello."
    assert "evil" not in str(requests)


WORD = st.sampled_from(["the", "old", "dog", "Jane", "Smith", "saw", "it.", "and", "\n", "caf\u00e9", '"so"'])


@examples(60)
@given(st.lists(WORD, max_size=250).map(" ".join), st.integers(1, 120), st.booleans())
def test_masked_stream_equals_masked_document(text, size, final):
    """However it is cut: every name is masked, whole, and every other character stays."""
    pieces = parts(text, size)
    if not final:  # a stream that breaks off after its last delta
        pieces = pieces[:-1] or [b""]
    out, _, _ = streamed(pieces, NAMES)
    said = content(b"".join(out))
    assert not re.search(r"\b(Jane|Smith)\b", said)
    kept = re.sub(r"\[PERSON_\d+\]", "\0", said)
    assert kept == re.sub(r"\b[A-Z]\w*(?: [A-Z]\w*)*", "\0", text)


@pytest.mark.parametrize("unit", ["word ", "x", LONG])
def test_held_text_and_detector_text_are_bounded(unit):
    """Sentences, words without an end, and no blank at all."""
    text = unit * (20_000 // len(unit))
    guards = (replace(JUDGE, max_tokens=100_000), replace(NAMES, max_tokens=100_000))
    out, requests, _ = streamed(parts(text, 40), *guards)
    assert content(b"".join(out)) == text
    longest = max(len(one) for texts_by_detector in requests for texts in texts_by_detector.values() for one in texts)
    assert longest <= DETECTOR_CONTEXT + MAX_UNREAD + 40
    done = 0
    for at, piece in enumerate(out[:-1], 1):
        done += len(content(piece))
        assert at * 40 - done <= MAX_UNREAD + 40


def test_a_finding_that_never_ends_is_not_held_for_ever():
    """One name of many thousand words is masked in parts rather than kept in memory."""
    text = "Name " * 4000
    out, _, _ = streamed(parts(text, 40), replace(NAMES, max_tokens=100_000))
    held = [len(text[: at * 40]) for at, piece in enumerate(out, 1) if not content(piece)]
    assert "Name" not in content(b"".join(out))
    assert held
    assert any(content(piece) for piece in out[: len(out) // 2])


def test_stream_without_detectors_needs_no_detections():
    """As before."""
    work = ResponseStream(ResponsePlan(Api.CHAT, (Guard("g", "flag", (lambda *_: [],), on_response=True),)))
    with pytest.raises(StopIteration) as done:
        next(work.feed(chunk("hello"), never, end=True))
    assert b"hello" in done.value.value


DISGUISED = ["Jane", "Smith", "Ja\u200bne", "Sm\u00adith", "old", 'a "dog"', "caf\u00e9", "\\", "\n", "so."]
RAW = r"(?:Ja(?:\\u200b)?ne|Sm(?:\\u00ad)?ith)"


@examples(60)
@given(texts=st.lists(st.lists(st.sampled_from(DISGUISED), max_size=8).map(" ".join), min_size=1, max_size=4))
def test_masked_request_only_differs_in_names(program, texts):
    """Byte by byte, also where a name has a disguise or the text has escapes; the placeholders undo it exactly."""
    guard = replace(NAMES, on_response=False, unmask=True)
    rules = MachineConfig(replace(program, guards=(guard,)), 1 << 20)
    body = {"model": "llama3-8b", "messages": [{"role": "user", "content": text} for text in texts]}
    raw = json.dumps(body)
    state, action = advance(rules, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(raw.encode()))
    if isinstance(action, NeedSignals):
        assert "\u200b" not in str(action.detector_texts)
        _, action = advance(rules, state, SignalsReady(detections=looks(action.detector_texts)))
    assert isinstance(action, SendToModel)
    sent = raw if action.body is None else action.body.decode()
    assert re.sub(r"\[PERSON_\d+\]", "\0", sent) == re.sub(rf"{RAW}(?: {RAW})*", "\0", raw)
    restore = action.response.restore if action.response else {}
    undone = [
        re.sub(r"\[PERSON_\d+\]", lambda match: restore[match[0]], each["content"])
        for each in json.loads(sent)["messages"]
    ]
    assert undone == texts
