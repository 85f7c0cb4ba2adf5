"""Spans of responses: what a model's answer says of itself, by OpenTelemetry's published conventions."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE
from opentelemetry.trace import SpanKind, StatusCode

from support.played_gateway import request_body, request_headers
from vsr_runtime.decision.guards.finders import patterns
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.response_events import ResponseBody, ResponseHeaders
from vsr_runtime.decision.request.usage import MAX_DOCUMENT
from vsr_runtime.server.messages import STREAMED, ProcessingRequest
from vsr_runtime.server.telemetry.provider_names import HOSTS, TYPES, provider_names
from vsr_runtime.server.telemetry.response_report import ResponseReport
from vsr_runtime.server.trace import Tracing
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

KEYS = Guard("keys", "block", (patterns(["sk-[a-z]{8}"]),), on_response=True)
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "meta/llama-3.1-8b@rev",
    "choices": [
        {"index": 1, "message": {"role": "assistant", "content": "SECRET"}, "finish_reason": "length"},
        {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"},
    ],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}},
}
CONVENTIONS = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")} | {
    ERROR_TYPE,
    HTTP_RESPONSE_STATUS_CODE,
}


@pytest.fixture
def spans():
    """Where spans end up in these tests."""
    return InMemorySpanExporter()


@pytest.fixture
def guarded(settings):
    """The sample policy with a guard of responses, so that they are read."""
    return replace(settings, program=replace(settings.program, guards=(KEYS,)))


def message(field: str, **values: object):
    """A message about a response."""
    found = ProcessingRequest()
    part = getattr(found, field)
    part.end_of_stream = bool(values.pop("end", False))
    if field == "response_body":
        part.body = values["body"]
    else:
        for key, value in values.items():
            part.headers.headers.add(key=key.replace("_", "-").replace("-status", ":status"), raw_value=value.encode())
    return found


def played(gateway, settings, spans, chat, *messages, provider=None):
    """The spans of a request and its response."""
    provider = provider or TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    opening = request_headers()
    opening.protocol_config.response_body_mode = STREAMED

    async def whole():
        async with gateway(settings, tracing=Tracing(provider)) as envoy:
            await envoy.send(opening, request_body(chat("llama3-8b")), *messages)

    asyncio.run(whole())
    return spans.get_finished_spans()


def read(*bodies: bytes, status: str = "200", kind: str = "application/json") -> dict[str, object]:
    """The attributes of a response with these parts."""
    report = ResponseReport()
    report.observe(ResponseHeaders(((":status", status), ("content-type", kind)), end_of_stream=False))
    for number, body in enumerate(bodies):
        report.observe(ResponseBody(body, end_of_stream=number == len(bodies) - 1))
    return report.attributes()


def events(*values: object) -> bytes:
    """A stream of server-sent events."""
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values) + b"data: [DONE]\n\n"


def test_response_is_a_client_span_below_its_decision(gateway, guarded, spans, chat):
    """Named as the conventions say, with the model that answered, its id, ends and tokens, and no text."""
    document = json.dumps(CHAT).encode()
    headers = message("response_headers", _status="200", content_type="application/json")
    decided, responded = played(
        gateway, guarded, spans, chat, headers, message("response_body", body=document, end=True)
    )
    assert (decided.name, responded.name) == ("vsr.decide", "chat llama3-8b")
    assert responded.parent.span_id == decided.context.span_id
    assert responded.context.trace_id == decided.context.trace_id
    assert responded.kind is SpanKind.CLIENT
    assert responded.status.status_code is StatusCode.UNSET
    assert dict(responded.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "llama3-8b",
        "gen_ai.response.model": "meta/llama-3.1-8b@rev",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop", "length"),
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 8,
        "http.response.status_code": 200,
    }
    assert responded.attributes.keys() <= CONVENTIONS
    assert "SECRET" not in responded.to_json()


def test_response_that_is_not_read_has_no_span(gateway, settings, spans, chat):
    """No mode of the gateway is changed for traces alone."""
    (span,) = played(gateway, settings, spans, chat)
    assert span.name == "vsr.decide"


def test_response_of_a_trace_that_is_not_sampled_is_not_read(gateway, guarded, spans, chat, monkeypatch):
    """Sampling saves the work."""
    monkeypatch.setattr(ResponseReport, "observe", lambda *_: pytest.fail("it was read"))
    headers = message("response_headers", _status="200", content_type="application/json")
    body = message("response_body", body=json.dumps(CHAT).encode(), end=True)
    provider = TracerProvider(sampler=ALWAYS_OFF)
    assert played(gateway, guarded, spans, chat, headers, body, provider=provider) == ()


def test_blocked_response_has_the_guards_code_as_its_error(gateway, guarded, spans, chat):
    """The tokens were used all the same."""
    document = json.dumps({**CHAT, "choices": [{"index": 0, "message": {"content": "sk-abcdefgh"}}]}).encode()
    headers = message("response_headers", _status="200", content_type="application/json")
    _, span = played(gateway, guarded, spans, chat, headers, message("response_body", body=document, end=True))
    assert span.attributes["error.type"] == "guard:keys"
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["gen_ai.usage.input_tokens"] == 12


def test_response_that_ends_early_is_cancelled(gateway, guarded, spans, chat):
    """The client or the model has gone before the last part."""
    headers = message("response_headers", _status="200", content_type="text/event-stream")
    part = message("response_body", body=b'data: {"id": "x", "model": "m"}\n\n')
    _, span = played(gateway, guarded, spans, chat, headers, part)
    assert span.attributes["error.type"] == "cancelled"
    assert span.attributes["gen_ai.response.model"] == "m"


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_stream_is_read_however_it_is_cut(size):
    """Chat: the model and id of the first event, the end of each choice, and the usage of the last event."""
    stream = events(
        {"id": "c-1", "model": "m", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]},
        {"id": "c-1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"id": "c-1", "model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
    )
    cut = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert read(*cut, kind="text/event-stream; charset=utf-8") == {
        "http.response.status_code": 200,
        "gen_ai.response.model": "m",
        "gen_ai.response.id": "c-1",
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
    }


def test_stream_of_messages_is_read():
    """Input tokens at its begin, output tokens and the reason at its end."""
    stream = events(
        {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 9}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}},
    )
    found = read(stream, kind="text/event-stream")
    assert found["gen_ai.response.model"] == "claude"
    assert found["gen_ai.response.id"] == "msg_1"
    assert found["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (9, 6)


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        ({"status": "completed"}, "completed"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
    ],
)
def test_responses_api_is_read_as_a_document_and_as_a_stream(ended, reason):
    """Its last event repeats the whole response."""
    response = {"id": "r", "object": "response", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 2}}
    begun = {"id": "r", "object": "response", "model": "m", "status": "in_progress"}
    streamed = events({"type": "response.created", "response": begun}, {"response": {**response, **ended}})
    for found in (
        read(json.dumps({**response, **ended}).encode()),
        read(streamed, kind="text/event-stream"),
    ):
        assert found["gen_ai.response.finish_reasons"] == [reason]
        assert found["gen_ai.usage.output_tokens"] == 2
        assert found["gen_ai.response.id"] == "r"


def test_errors_have_a_type():
    """The status of an error, or what the event of a stream says that failed after its headers."""
    assert read(b'{"error": {"type": "overloaded"}}', status="529")["error.type"] == "529"
    failed = events({"id": "x", "model": "m"}, {"error": {"message": "SECRET text", "type": "BadRequestError"}})
    assert read(failed, kind="text/event-stream")["error.type"] == "BadRequestError"
    nameless = events({"id": "x", "model": "m"}, {"error": "SECRET text"})
    assert read(nameless, kind="text/event-stream")["error.type"] == "_OTHER"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b"{" * MAX_DOCUMENT + b"}",
        b"\xff\xfe",
        b'{"model": "a text of a prompt", "id": 7, "choices": 3, "usage": [], "error": null}',
        b'{"choices": [{"index": -1, "finish_reason": "two words"}, 5, {"index": 1e9}], "usage": {"total_tokens": -1}}',
        json.dumps({"model": "x" * 500, "object": "response", "status": ["x"], "incomplete_details": 3}).encode(),
    ],
)
def test_hostile_bodies_give_no_attribute_and_no_error(body):
    """A backend's text is no name of a model; sizes and depths are bounded."""
    assert read(body) == {"http.response.status_code": 200}
    assert (
        not {"gen_ai.response.model", "gen_ai.response.id"}
        & read(b"data: " + body + b"\n\n", kind="text/event-stream").keys()
    )


def test_choices_of_a_response_are_bounded():
    """A response with very many has as many reasons as are kept."""
    many = [{"index": index, "finish_reason": "stop"} for index in range(5000)]
    assert len(read(json.dumps({"choices": many}).encode())["gen_ai.response.finish_reasons"]) == 128


def test_names_of_providers_are_published():
    """Each in the tables is a value of the conventions."""
    published = {each.value for each in gen_ai_attributes.GenAiProviderNameValues}
    assert {name for _, name in HOSTS} | set(TYPES.values()) <= published


@pytest.mark.parametrize(
    ("refs", "name"),
    [
        ([{"endpoint": "api.anthropic.com:443", "provider": "openai"}], "anthropic"),
        ([{"endpoint": "acme.openai.azure.com:443", "provider": "openai"}], "azure.ai.openai"),
        ([{"base_url": "https://bedrock-runtime.eu-west-1.amazonaws.com/v1"}], "aws.bedrock"),
        ([{"endpoint": "proxy.corp:443", "provider": "gemini"}], "gcp.gemini"),
        ([{"endpoint": "api.openai.com.evil.example:443", "provider": "openai"}], None),
        ([{"endpoint": "vllm.models.svc.cluster.local:8000", "provider": "vllm"}], None),
        ([{"endpoint": "api.openai.com:443"}, {"endpoint": "api.groq.com:443"}], None),
    ],
)
def test_provider_is_named_where_its_address_or_type_says_so(refs, name):
    """An API that many servers speak is no provider; two providers are none."""
    config = RouterConfig.model_validate(
        {
            "providers": {
                "defaults": {"model": "m"},
                "models": [
                    {"name": "m", "backend_refs": [{"name": f"b{i}", "weight": 1, **ref} for i, ref in enumerate(refs)]}
                ],
            },
            "routing": {"modelCards": [], "decisions": []},
        }
    )
    assert provider_names(config).get("m") == name


def test_provider_is_on_the_span_of_the_response(gateway, guarded, spans, chat, monkeypatch):
    """Under the name that the conventions have for it."""
    monkeypatch.setattr("vsr_runtime.server.generation.provider_names", lambda _: {"llama3-8b": "groq"})
    headers = message("response_headers", _status="200", content_type="application/json", end=True)
    _, span = played(gateway, guarded, spans, chat, headers)
    assert span.attributes[gen_ai_attributes.GEN_AI_PROVIDER_NAME] == "groq"
