from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import JSON, examples
from vsr_compiler.impact.formats import UNKNOWN, requests_of
from vsr_compiler.impact.request import NO_TEXT, NOT_A_BODY, TRUNCATED, TrafficRequest, Unusable, Usage

TURNS = [{"role": "user", "content": "Where is my parcel?"}]
CHAT = {"model": "auto", "messages": TURNS}


def only(value: object) -> TrafficRequest:
    """The one request of a value."""
    (found,) = requests_of(value)
    assert isinstance(found, TrafficRequest), found
    return found


def reason(value: object) -> str:
    """Why a value is left out."""
    (found,) = requests_of(value)
    assert isinstance(found, Unusable), found
    return found.reason


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (CHAT, "/v1/chat/completions"),
        ({**CHAT, "system": "Be brief."}, "/v1/messages"),
        ({"model": "auto", "input": "Where is it?"}, "/v1/responses"),
        ({"model": "auto", "prompt": "Once upon"}, "/v1/completions"),
    ],
)
def test_a_bare_body_is_a_request_of_its_api(body: dict, path: str) -> None:
    """Without a record around it."""
    assert (only(body).body, only(body).path) == (body, path)


def test_a_prompt_alone_is_a_message_to_the_router() -> None:
    """As a person types it."""
    assert only({"prompt": "Where is it?"}).body == {"messages": [{"role": "user", "content": "Where is it?"}]}


def test_a_record_says_who_asked_what_by_which_path() -> None:
    """And what it took, in the words of the API's own usage."""
    record = {
        "id": "r-7",
        "path": "/v1/messages",
        "headers": {"X-Session-Id": "s", "bad": 3},
        "client": {"user": "ada", "team": "research", "role": ["dev"], "plan": "gold"},
        "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 90},
        "body": json.dumps(CHAT),
    }
    found = only(record)
    assert (found.id, found.path, found.headers) == ("r-7", "/v1/messages", (("x-session-id", "s"),))
    assert found.client is not None
    assert found.client.attributes == {"user": "ada", "team": "research", "plan": "gold"}
    assert found.client.roles == {"dev"}
    assert (found.team, found.usage, found.body) == ("research", Usage(100, 5, 90), CHAT)


def test_replay_records_of_the_stock_router() -> None:
    """Whole bodies, prompts alone, and what was cut."""
    record = {"id": "x", "request_id": "r", "lifecycle_state": "completed", "decision_tier": 0, "selected_model": "m"}
    tokens = {"prompt_tokens": 12, "completion_tokens": 3, "cached_prompt_tokens": 4}
    whole = only({**record, **tokens, "request_body": json.dumps(CHAT)})
    assert (whole.body, whole.usage, whole.id) == (CHAT, Usage(12, 3, 4), "r")
    assert only({**record, "prompt": "Hi", "original_model": "auto"}).body["messages"][0]["content"] == "Hi"
    assert reason({**record, "request_body": '{"mod', "request_body_truncated": True}) == TRUNCATED.reason
    assert reason({**record, "request_body": "[1"}) == NOT_A_BODY.reason
    assert reason(record) == NO_TEXT.reason
    page = list(requests_of({"object": "list", "data": [{**record, "prompt": "a"}, {**record, "prompt": "b"}]}))
    assert [found.body["messages"][0]["content"] for found in page if isinstance(found, TrafficRequest)] == ["a", "b"]


def test_rows_of_the_spend_logs_of_litellm() -> None:
    """The texts are in one of two columns, as objects or as JSON text."""
    row = {
        "request_id": "r",
        "call_type": "acompletion",
        "spend": 0.1,
        "model": "gpt-large",
        "model_group": "large",
        "prompt_tokens": 20,
        "completion_tokens": 7,
        "user": "ada",
        "team_id": "t-1",
        "metadata": {
            "user_api_key_team_alias": "research",
            "usage_object": {"prompt_tokens_details": {"cached_tokens": 8}},
        },
    }
    by_messages = only({**row, "messages": json.dumps(TURNS)})
    assert by_messages.body == {"model": "large", "messages": TURNS}
    assert (by_messages.team, by_messages.usage) == ("research", Usage(20, 7, 8))
    assert only({**row, "proxy_server_request": {**CHAT, "temperature": 0}}).body == {**CHAT, "temperature": 0}
    assert only({**row, "proxy_server_request": {"body": CHAT}, "metadata": "{}"}).team == "t-1"
    assert only({**row, "call_type": "aresponses", "proxy_server_request": {"input": "Hi"}}).path == "/v1/responses"
    assert reason({**row, "messages": {}}) == NO_TEXT.reason


def test_spans_of_opentelemetry() -> None:
    """As one object a span, and as OTLP with its typed values; spans of something else are no requests."""
    messages = [
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Rome?"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "w", "arguments": {"city": "Rome"}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "result": "rain"}]},
    ]
    flat = {
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 2,
    }
    one = only({"name": "chat m", "attributes": flat, "spanId": "s1"})
    assert [message["role"] for message in one.body["messages"]] == ["system", "user", "assistant", "tool"]
    assert json.loads(one.body["messages"][2]["tool_calls"][0]["function"]["arguments"]) == {"city": "Rome"}
    assert (one.body["model"], one.usage, one.id) == ("m", Usage(9, 2), "s1")
    typed = [
        {"key": "gen_ai.request.model", "value": {"stringValue": "m"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "9"}},
        {"key": "gen_ai.input.messages", "value": {"arrayValue": {"values": [{"kvlistValue": {"values": [
            {"key": "role", "value": {"stringValue": "user"}},
            {"key": "parts", "value": {"arrayValue": {"values": [{"kvlistValue": {"values": [
                {"key": "type", "value": {"stringValue": "text"}},
                {"key": "content", "value": {"stringValue": "Hi"}},
            ]}}]}}},
        ]}}]}}},
    ]  # fmt: skip
    spans = [{"spanId": "a", "attributes": typed}, {"spanId": "b", "attributes": [{"key": "gen_ai.tool.name"}]}]
    export = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    assert only(export).body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert only(export).usage == Usage(9, 0)


def test_access_logs_of_envoy() -> None:
    """With the names that people give to the fields."""
    line = {"response_code": 200, "duration": 12, "path": "/v1/messages?beta=true", "x-request-id": "r"}
    found = only({**line, "request_body": json.dumps(CHAT), "x-authz-team-id": "research", "x_authz_user_id": "-"})
    assert (found.body, found.path, found.id, found.team) == (CHAT, "/v1/messages", "r", "research")
    assert reason(line) == NO_TEXT.reason
    assert reason({**line, "request_body": "-"}) == NO_TEXT.reason


def test_our_decision_log_needs_the_bodies() -> None:
    """It has no text; a collector may add it."""
    line = {"event": "decision", "request": "r", "model": "small", "route": "math", "named": False}
    assert "has no text" in reason(line)
    assert only({**line, "body": CHAT}).id == "r"
    assert not list(requests_of({"event": "attempt", "request": "r", "model": "small"}))


@pytest.mark.parametrize("value", [None, 3, "text", {}, {"a": 1}, {"model": "m"}])
def test_anything_else_is_left_out_with_a_reason(value: object) -> None:
    """And counted."""
    assert reason(value) == UNKNOWN.reason


NAMES = [
    "attributes", "body", "call_type", "client", "data", "decision_tier", "event", "gen_ai.input.messages", "headers",
    "id", "input", "lifecycle_state", "messages", "metadata", "model", "path", "prompt", "proxy_server_request",
    "request", "request_body", "resourceSpans", "response_code", "scopeSpans", "spans", "spend", "usage", "duration",
    "gen_ai.request.model", "role", "parts", "content", "prompt_tokens", "team",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
@examples(400)
def test_no_record_breaks_a_reader(record: dict) -> None:
    """Fields of any shape: each becomes requests, or reasons."""
    for found in requests_of(record):
        assert isinstance(found, Unusable) or isinstance(json.dumps(found.body), str)
