from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.request_machine import LLAMA, MATH, PHI, PROGRAM, RULES, drive, headers, rules
from vsr_runtime.decision.program.conditions import AllConditions, CategoryCondition, SignalCondition, SignalValues
from vsr_runtime.decision.program.effects import Effects, ModelTarget, SystemPrompt
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request import events
from vsr_runtime.decision.request.events import (
    Cause,
    Continue,
    Failure,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SignalsReady,
)
from vsr_runtime.decision.request.immediate_responses import IMMEDIATE_RESPONSE_HEADERS
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, Decided, MachineConfig, OutOfOrderError
from vsr_runtime.decision.signals.heuristic import build_keyword
from vsr_schemas.routerconfig import v0_4_0 as contract


def answered(*steps, rules=RULES) -> tuple[int, str]:
    """The status and the code of the answer that the events lead to."""
    state, action = drive(*steps, rules=rules)
    assert isinstance(action, ImmediateResponse)
    assert state == Decided()
    error = json.loads(action.body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["code"] == action.code
    assert dict(action.headers)["content-type"] == "application/json"
    assert set(dict(action.headers)) <= set(IMMEDIATE_RESPONSE_HEADERS)
    return action.status, action.code


@pytest.mark.parametrize("name", ["auto", "MoM"])
def test_auto_name_is_classified_decided_and_rewritten(chat, name):
    """An auto name asks for signals; the decision rewrites the model, and nothing else of the body."""
    body = chat(name, "2+2 is")
    state, action = drive(headers(), RequestBody(body))
    assert action == NeedSignals("2+2 is", frozenset({"category"}))
    state, action = advance(RULES, state, SignalsReady("math", 0.9))
    expected = body.replace(f'"{name}"'.encode(), b'"phi4-mini"')
    assert state == Decided()
    assert action == events.SendToModel(
        "phi4-mini",
        expected,
        (("x-selected-model", "phi4-mini"), ("content-length", str(len(expected)))),
        (),
        "math",
        SignalValues("math", 0.9, classified=True),
    )


def test_auto_name_that_is_also_a_model_lets_the_router_choose(chat):
    """As in the stock router, where `MoM` is an auto name and often a model; the list of models has it once."""
    program = replace(PROGRAM, auto_names=(LLAMA.name,))
    assert program.names == (LLAMA.name, *(name for name in program.models if name != LLAMA.name))
    _, action = drive(headers(), RequestBody(chat(LLAMA.name, "2+2 is")), rules=replace(RULES, program=program))
    assert action == NeedSignals("2+2 is", frozenset({"category"}))


def test_no_category_goes_to_the_default(chat):
    """A request whose category is below the threshold is served by the default model."""
    _, action = drive(headers(), RequestBody(chat()), SignalsReady())
    assert (action.model, action.route) == ("llama3-8b", None)


def test_request_like_none_of_the_categories_has_the_fallback(chat):
    """Where a fallback is configured, a request without a category is routed and logged as that."""
    with_fallback = rules(MATH, fallback="other")
    for content, steps in (("hello", [SignalsReady(None, 0.1)]), ("", [])):
        _, action = drive(headers(), RequestBody(chat(content=content)), *steps, rules=with_fallback)
        assert (action.model, action.signals.category) == ("llama3-8b", "other")


def test_named_model_is_kept_and_its_body_untouched(chat):
    """A client that names a model gets it: the body is not rewritten and nothing is classified."""
    state, action = drive(headers(), RequestBody(chat("phi4-mini")))
    assert state == Decided()
    assert action == events.SendToModel("phi4-mini", None, (("x-selected-model", "phi4-mini"),))


def test_client_cannot_choose_by_header(chat):
    """The routing header that a client sent is removed at once and overwritten by the decision."""
    _, action = drive(headers(x_selected_model="phi4-mini"))
    assert action == Continue(remove=("x-selected-model",))
    _, action = drive(headers(x_selected_model="phi4-mini"), RequestBody(chat("llama3-8b")))
    assert dict(action.set_headers)["x-selected-model"] == "llama3-8b"


def test_completions_are_routed_by_their_prompt():
    """The older completions API is routed like the chat API."""
    body = json.dumps({"model": "auto", "prompt": "2+2 is"}).encode()
    _, action = drive(headers(path="/v1/completions?x=1"), RequestBody(body))
    assert action == NeedSignals("2+2 is", frozenset({"category"}))


def test_named_model_takes_token_ids_but_an_auto_name_does_not():
    """Token ids cannot be classified; a named model accepts them."""
    body = json.dumps({"model": "phi4-mini", "prompt": [1, 2]}).encode()
    _, action = drive(headers(path="/v1/completions"), RequestBody(body))
    assert action.body is None
    body = body.replace(b"phi4-mini", b"auto")
    assert answered(headers(path="/v1/completions"), RequestBody(body)) == (400, "invalid_request")


@pytest.mark.parametrize("content", ["", "  ", [{"type": "image_url", "image_url": {"url": "x"}}]])
def test_request_without_text_has_no_category(chat, content):
    """If there is nothing to read, no classifier runs and the default model serves."""
    _, action = drive(headers(), RequestBody(chat(content=content)))
    assert (action.model, action.signals) == ("llama3-8b", SignalValues(classified=True))


def test_program_that_asks_nothing_decides_at_once(chat):
    """Without a route that asks for a category, nothing is classified."""
    _, action = drive(headers(), RequestBody(chat()), rules=rules(PolicyRoute("all", AllConditions(()), ((PHI, 100),))))
    assert (action.model, action.route) == ("phi4-mini", "all")


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.TOO_COMPLEX])
def test_failed_classification_is_never_a_pass(chat, cause):
    """A timeout, an overload and a broken classifier each end in 503 with a time to come back."""
    steps = headers(), RequestBody(chat()), Failure(cause)
    assert answered(*steps) == (503, cause.value)
    assert dict(drive(*steps)[1].headers)["retry-after"] == "1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "invalid_json")),
        (b"not json", (400, "invalid_json")),
        (b'{"model":"auto","model":"phi4-mini","messages":[]}', (400, "duplicate_key")),
        (b'{"messages":[{"role":"user","content":"x"}]}', (400, "missing_model")),
        (b'{"model":1,"messages":[]}', (400, "missing_model")),
        (b'{"model":"","messages":[]}', (400, "missing_model")),
        (b'{"model":["auto"],"messages":[]}', (400, "missing_model")),
        (b'{"model":"auto"}', (400, "missing_messages")),
        (b'{"model":"phi4-mini","messages":null}', (400, "missing_messages")),
        (b'{"model":"auto","messages":[]}', (400, "invalid_request")),
        (b'{"model":"auto","messages":"2+2"}', (400, "invalid_request")),
        (b'{"model":"phi4-mini","messages":{"role":"user"}}', (400, "invalid_request")),
        (b'{"model":"phi4-mini","messages":1}', (400, "invalid_request")),
        (b'{"model":"auto","messages":[{"role":"user","content":1}]}', (400, "invalid_request")),
        (b'{"model":"gpt-9","messages":[]}', (404, "model_not_found")),
        (b'{"model":"AUTO","messages":[]}', (404, "model_not_found")),
        (b'{"model":"auto ","messages":[]}', (404, "model_not_found")),
        (b" " * 1001, (413, "body_too_large")),
    ],
)
def test_bad_bodies_are_answered(body, expected):
    """Each fault of a body has its status and its code."""
    assert answered(headers(), RequestBody(body)) == expected


def test_echo_of_an_unknown_model_is_bounded():
    """An error does not send a client's long word back."""
    body = json.dumps({"model": "x" * 900, "messages": []}).encode()
    _, action = drive(headers(), RequestBody(body))
    assert len(action.body) < 400


def test_body_at_the_bound_is_taken(chat):
    """The bound itself is allowed."""
    body = chat("phi4-mini", "x" * 10)
    _, action = drive(headers(), RequestBody(body), rules=MachineConfig(PROGRAM, len(body)))
    assert action.model == "phi4-mini"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (headers("GET"), (405, "method_not_allowed")),
        (headers("POST", "/v1/models"), (405, "method_not_allowed")),
        (headers("GET", "/"), (404, "not_found")),
        (headers("POST", "/v1/audio"), (404, "not_found")),
        (headers("POST", "/v1/load_lora_adapter"), (404, "not_found")),
        (headers("GET", "/v1/responses/"), (404, "not_found")),
        (headers("GET", "/v1/responses/a/b"), (404, "not_found")),
        (headers("GET", "/v1/responses/../models", end=True), (404, "not_found")),
        (headers("POST", "/v1/responses/{id}"), (404, "not_found")),
        (headers("GET", "/v1/audio/speech"), (405, "method_not_allowed")),
        (headers("POST", "/v1/audio/transcriptions"), (415, "unsupported_content_type")),
        (headers("POST", "/v1/chat/completions/"), (404, "not_found")),
        (headers("POST", "/v1/chat%2fcompletions"), (404, "not_found")),
        (headers("POST", "/x/../v1/chat/completions"), (404, "not_found")),
        (headers("POST", "/V1/chat/completions"), (404, "not_found")),
        (RequestHeaders((), end_of_stream=True), (404, "not_found")),
        (headers(end=True), (400, "invalid_json")),
        (headers(content_encoding="gzip"), (415, "unsupported_encoding")),
        (headers(content_encoding="identity, br"), (415, "unsupported_encoding")),
        (headers(content_type=None), (415, "unsupported_content_type")),
        (headers(content_type="text/plain"), (415, "unsupported_content_type")),
        (headers(content_type="application/jsonx"), (415, "unsupported_content_type")),
        (headers(content_type="application/json; charset=utf-16"), (415, "unsupported_content_type")),
        (headers(content_type="multipart/form-data; x=application/json"), (415, "unsupported_content_type")),
        (headers(content_length="1001"), (413, "body_too_large")),
    ],
)
def test_refusals_that_need_no_body(event, expected):
    """What the request line and the headers already rule out is answered before the body is read."""
    assert answered(event) == expected


def test_duplicate_headers_are_rejected():
    """A duplicate content type or encoding cannot hide behind a permitted one."""
    base = headers().headers
    twice = RequestHeaders((*base, ("content-type", "application/json")), end_of_stream=False)
    hidden = RequestHeaders(
        (*base, ("content-encoding", "identity"), ("content-encoding", "gzip")), end_of_stream=False
    )
    paths = RequestHeaders((*base, (":path", "/v1/models")), end_of_stream=False)
    assert answered(twice) == (415, "unsupported_content_type")
    assert answered(hidden) == (415, "unsupported_encoding")
    assert answered(paths) == (404, "not_found")


@pytest.mark.parametrize(
    "more",
    [
        {"content_type": "application/json; charset=utf-8"},
        {"content_type": 'Application/JSON;charset="UTF-8"'},
        {"content_encoding": "identity"},
        {"content_length": "1000"},
        {"content_length": "nonsense"},
    ],
)
def test_ordinary_headers_pass(more):
    """UTF-8 JSON without encoding goes on to its body, whose own length is what counts in the end."""
    assert drive(headers(**more))[1] == Continue()


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models?limit=1"])
def test_models_are_listed(path):
    """The list names auto names and models in OpenAI's form."""
    state, action = drive(headers("GET", path, end=True))
    listed = json.loads(action.body)
    assert (state, action.status, listed["object"]) == (Decided(), 200, "list")
    assert [item["id"] for item in listed["data"]] == ["auto", "MoM", "llama3-8b", "phi4-mini"]
    assert all(item.keys() == {"id", "object", "created", "owned_by"} for item in listed["data"])


@pytest.mark.parametrize(
    "steps",
    [
        [RequestBody(b"{}")],
        [SignalsReady()],
        [headers(), headers()],
        [Failure(Cause.TIMEOUT)],
        [headers("GET", "/"), RequestBody(b"{}")],
        [headers(), RequestBody(b""), RequestBody(b"")],
    ],
)
def test_events_out_of_order_are_errors(steps):
    """An event that the state does not wait for cannot move it, least of all to a pass."""
    with pytest.raises(OutOfOrderError):
        drive(*steps)


KEYWORD = build_keyword(contract.KeywordRule(name="urgent", operator="OR", keywords=["urgent"]))
URGENT = PolicyRoute("urgent", SignalCondition(("keyword", "urgent")), ((PHI, 100),))


def test_classifier_does_not_run_if_a_signal_decides(chat):
    """A keyword of an earlier route decides without the classifier."""
    known = rules(URGENT, MATH, signals={("keyword", "urgent"): KEYWORD})
    _, action = drive(headers(), RequestBody(chat(content="urgent: 2+2")), rules=known)
    assert (action.route, action.signals.classified) == ("urgent", False)
    _, action = drive(headers(), RequestBody(chat(content="2+2")), rules=known)
    assert isinstance(action, NeedSignals)


def test_time_that_is_up_is_never_a_pass(chat):
    """Where the signals take too long, and where the body is not looked at at all, the answer is 503."""
    known = rules(URGENT, signals={("keyword", "urgent"): KEYWORD})
    late = RequestBody(chat(), lambda: True)
    assert answered(headers(), late, rules=known) == (503, "classifier_timeout")
    for cause in Cause:
        status = 413 if cause is Cause.TOO_COMPLEX else 503  # with which a retry would end, too
        assert answered(headers(), Failure(cause)) == (status, cause.value)
        assert drive(headers(), Failure(cause))[1].cause is cause


SPLIT = PolicyRoute("split", AllConditions(()), ((LLAMA, 50), (PHI, 50)))


def test_split_is_drawn_by_the_requests_id(chat):
    """The same id has the same model whatever it asks; other ids are spread; without one, the body is what counts."""

    def model(body: bytes, **more: str) -> str:
        return drive(headers(**more), RequestBody(body), rules=rules(SPLIT))[1].model

    for i in range(20):
        assert model(chat(content="a"), x_request_id=f"r{i}") == model(chat(content="b"), x_request_id=f"r{i}")
    assert {model(chat(), x_request_id=f"r{i}") for i in range(20)} == {"llama3-8b", "phi4-mini"}
    assert {model(chat(content=f"c{i}")) for i in range(20)} == {"llama3-8b", "phi4-mini"}
    assert len({model(chat()) for _ in range(5)}) == 1


def test_duplicate_request_id_is_ignored(chat):
    """A client cannot add an id of its own to the gateway's."""
    twice = RequestHeaders((*headers(x_request_id="a").headers, ("x-request-id", "b")), end_of_stream=False)
    bodies = [chat(content=str(i)) for i in range(20)]
    chosen = [drive(twice, RequestBody(body), rules=rules(SPLIT))[1].model for body in bodies]
    assert chosen == [drive(headers(), RequestBody(body), rules=rules(SPLIT))[1].model for body in bodies]


def test_provider_id_is_written_and_the_alias_routed(chat):
    """The header keeps the name that routes match, also for a model that the client named."""
    renamed = ModelTarget("phi4-mini", "org/phi")
    known = rules(
        PolicyRoute("math", CategoryCondition(frozenset({"math"})), ((renamed, 100),)),
        models={"llama3-8b": LLAMA, "phi4-mini": renamed},
    )
    for name, steps in (("auto", [SignalsReady("math")]), ("phi4-mini", [])):
        _, action = drive(headers(), RequestBody(chat(name)), *steps, rules=known)
        assert json.loads(action.body)["model"] == "org/phi"
        assert dict(action.set_headers)["x-selected-model"] == action.model == "phi4-mini"
        assert dict(action.set_headers)["content-length"] == str(len(action.body))


def test_effects_are_for_auto_requests_only(chat):
    """A decision edits the body and headers of requests that it routes; a named model's request is unchanged."""
    effects = Effects(
        system_prompt=SystemPrompt("Hi", "replace"), set_headers=(("x-team", "a"),), remove_headers=("x-old",)
    )
    known = rules(PolicyRoute("all", AllConditions(()), ((PHI, 100),), effects))
    _, action = drive(headers(), RequestBody(chat()), rules=known)
    assert json.loads(action.body)["messages"][0] == {"role": "system", "content": "Hi"}
    assert dict(action.set_headers)["x-team"] == "a"
    assert action.remove_headers == ("x-old",)
    _, action = drive(headers(), RequestBody(chat("phi4-mini")), rules=known)
    assert action == events.SendToModel("phi4-mini", None, (("x-selected-model", "phi4-mini"),))


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/chat/completions", "messages"),
        ("/v1/messages", "messages"),
        ("/v1/responses", "input"),
        ("/v1/completions", "prompt"),
    ],
)
def test_fixed_answer_reaches_no_model(chat, path, field):
    """A decision that answers by itself does so in the API's form, and says which decision it was."""
    known = rules(PolicyRoute("no", AllConditions(()), (), Effects(static_response="No.")))
    given = json.loads(chat()) if field == "messages" else {"model": "auto", field: "hello"}
    state, action = drive(headers(path=path), RequestBody(json.dumps(given).encode()), rules=known)
    assert isinstance(action, ImmediateResponse)
    assert (state, action.status, action.route) == (Decided(), 200, "no")
    assert b"No." in action.body


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "2+2 is"}),
        ("/v1/responses", {"input": [{"role": "user", "content": "2+2 is"}], "instructions": "x"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "2+2 is"}], "system": "x", "max_tokens": 5}),
    ],
)
def test_other_apis_are_routed_alike(path, body):
    """Responses and messages are classified by their last user turn, and their model is rewritten."""
    state, action = drive(headers(path=path), RequestBody(json.dumps(body | {"model": "auto"}).encode()))
    assert action == NeedSignals("2+2 is", frozenset({"category"}))
    _, action = advance(RULES, state, SignalsReady("math"))
    assert json.loads(action.body) == body | {"model": "phi4-mini"}


def test_embeddings_need_a_model():
    """Embeddings of different models cannot be mixed, so routing by content is rejected; a named model is accepted."""
    for text in ("hello", ["a"], [1, 2]):
        body = json.dumps({"model": "auto", "input": text}).encode()
        assert answered(headers(path="/v1/embeddings"), RequestBody(body)) == (400, "model_required")
        _, action = drive(headers(path="/v1/embeddings"), RequestBody(body.replace(b"auto", b"phi4-mini")))
        assert (action.model, action.body) == ("phi4-mini", None)


EVENTS = st.one_of(
    st.sampled_from([headers(), headers("GET", "/v1/models"), SignalsReady("math"), Failure(Cause.BROKEN)]),
    st.sampled_from([b'{"model":"auto","messages":[{"role":"user","content":"a"}]}', b"{}"]).map(RequestBody),
    st.binary(max_size=30).map(RequestBody),
)


@given(st.lists(EVENTS, max_size=6))
def test_machine_decides_once_and_only_to_configured_models(steps):
    """Under any sequence of events, a route names a configured model, and nothing follows a decision."""
    state = AwaitsHeaders()
    for event in steps:
        before = state
        try:
            state, action = advance(RULES, state, event)
        except OutOfOrderError:
            continue
        assert before != Decided()
        assert (state == Decided()) is isinstance(action, events.SendToModel | ImmediateResponse)
        if isinstance(action, events.SendToModel):
            assert action.model in PROGRAM.models
            assert ("x-selected-model", action.model) in action.set_headers


def test_without_a_category_the_default_serves_where_the_policy_wants_that(chat):
    """The default model is written into the body, and the cause is reported; otherwise the response is 503."""
    steps = (headers(), RequestBody(chat("auto", "2+2 is")), SignalsReady(missing=Cause.TIMEOUT))
    _, action = drive(*steps, rules=replace(RULES, default_on_failure=True))
    assert isinstance(action, events.SendToModel)
    assert (action.model, action.route, action.cause) == ("llama3-8b", None, Cause.TIMEOUT)
    assert json.loads(action.body)["model"] == "llama3-8b"
    assert answered(*steps) == (503, "classifier_timeout")
    unread = (headers(), Failure(Cause.FULL))
    assert answered(*unread, rules=replace(RULES, default_on_failure=True)) == (503, "overloaded")
