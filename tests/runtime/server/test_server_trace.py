from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from time import monotonic

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import StatusCode

from support.played_gateway import request_body, request_headers
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.errors import UserError
from vsr_runtime.server.trace import ENDPOINT, OPERATIONS, PROTOCOL, Tracing, tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans():
    """Where spans end up in these tests."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans):
    """Makes spans that go there at once."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Tracing(provider)


@pytest.fixture(autouse=True)
def _library(monkeypatch):
    """What is changed of the library's logger is as before afterwards."""
    logger = logging.getLogger("opentelemetry")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)


def decide(gateway, settings, tracer, *bodies: bytes, **headers: str) -> None:
    """Put requests to a traced processor, which is then closed."""

    async def whole():
        async with gateway(settings, tracing=tracer) as envoy:
            for body in bodies:
                await envoy.send(request_headers(**headers), request_body(body))

    asyncio.run(whole())


def test_decision_is_a_span_below_the_gateways(gateway, settings, chat, tracer, spans):
    """Names and numbers of the decision, in the trace that the gateway began."""
    decide(gateway, settings, tracer, chat(content="2+2 SECRET"), traceparent=PARENT, x_request_id="r-1")
    (span,) = spans.get_finished_spans()
    assert span.name == "vsr.decide"
    assert dict(span.attributes) == {
        "vsr.request.id": "r-1",
        "vsr.decision": "math",
        "vsr.category": "math",
        "vsr.category.probability": 0.9,
        "vsr.model": "phi4-mini",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "phi4-mini",
    }
    assert format(span.context.trace_id, "032x") == PARENT.split("-")[1]
    assert format(span.parent.span_id, "016x") == PARENT.split("-")[2]
    assert 0 < span.end_time - span.start_time < 30e9
    assert "SECRET" not in span.to_json()


def test_decision_without_a_parent_begins_a_trace(gateway, settings, chat, tracer, spans):
    """A gateway need not trace, and what it sends for a parent need not be one."""
    decide(gateway, settings, tracer, chat(), traceparent="nonsense")
    (span,) = spans.get_finished_spans()
    assert span.parent is None


def test_refusal_is_a_span_with_its_code(gateway, settings, chat, tracer, spans):
    """A client's mistake is no error of ours; a decision that failed is."""
    decide(gateway, settings, tracer, chat(model="nobody"), chat(content="RAISE"))
    attributes = [(span.attributes["vsr.answer.code"], span.status.status_code) for span in spans.get_finished_spans()]
    assert attributes == [("model_not_found", StatusCode.UNSET), ("classifier_failed", StatusCode.ERROR)]
    assert all("RAISE" not in span.to_json() for span in spans.get_finished_spans())


def test_attributes_of_generative_ai_are_those_of_the_published_conventions(tracer, spans):
    """Names and values of operations, and the type of an error."""
    for path in OPERATIONS:
        tracer.decided({}, "", ImmediateResponse(503, b"", "overloaded", model="m"), monotonic(), path=path, policy="p")
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    operations = {operation.value for operation in gen_ai_attributes.GenAiOperationNameValues}
    for span in spans.get_finished_spans():
        assert {name for name in span.attributes if name.startswith("gen_ai.")} <= known
        assert span.attributes[gen_ai_attributes.GEN_AI_OPERATION_NAME] in operations
        assert span.attributes[gen_ai_attributes.GEN_AI_REQUEST_MODEL] == "m"
        assert span.attributes[ERROR_TYPE] == "overloaded"
        assert span.attributes["vsr.config.sha256"] == "p"
    assert len(spans.get_finished_spans()) == len(OPERATIONS)


def test_span_of_an_api_without_a_published_operation_has_none(tracer, spans):
    """No name is made up; a refusal of a client's mistake is no error."""
    tracer.decided({}, "", ImmediateResponse(400, b"", "invalid"), monotonic(), path="/v1/rerank?x=1")
    tracer.decided({}, "", ImmediateResponse(200, b"", "fixed"), monotonic(), path="/v1/chat/completions?x=1")
    first, second = spans.get_finished_spans()
    assert not {"gen_ai.operation.name", "error.type", "gen_ai.request.model", "vsr.config.sha256"} & set(
        first.attributes
    )
    assert second.attributes["gen_ai.operation.name"] == "chat"


@pytest.mark.subprocess
def test_nothing_is_traced_unless_somebody_asks(monkeypatch):
    """Without the variable there is no tracer, and its library is not even loaded."""
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert tracing() is None
    code = "import sys, vsr_runtime.server.server; print(any(name.startswith('opentelemetry') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_other_protocols_are_refused_by_name(monkeypatch):
    """A collector's gRPC port would not understand what is sent."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4317")
    monkeypatch.setenv(PROTOCOL, "grpc")
    with pytest.raises(UserError, match="OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf"):
        tracing()


def test_missing_extra_is_an_error_with_its_remedy(monkeypatch):
    """Who sets the variable is attributes what to install."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(UserError, match=r"vsr-compile\[otel\]"):
        tracing()


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent."""

    def do_POST(self) -> None:
        """Remember it."""
        self.server.received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_) -> None:
        """Say nothing."""


def test_spans_are_sent_to_the_endpoint_at_the_latest_when_the_process_stops(monkeypatch):
    """OTLP over HTTP, under our name unless another is set."""
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        server.received = []
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr("vsr_runtime.server.trace.FLUSH_TIMEOUT", 60.0)
        found = tracing()
        found.decided({}, "r-1", ImmediateResponse(503, b"", "classifier_timeout"), monotonic())
        found.close()
        server.shutdown()
        thread.join()
    ((path, data),) = server.received
    assert path == "/v1/traces"
    assert b"vsr-runtime" in data
    assert b"classifier_timeout" in data


def test_collector_that_is_away_holds_nothing_up_and_is_a_line_in_the_log(monkeypatch, capfd):
    """Stopping does not wait for it, and no line is other than JSON."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    found = tracing()
    found.decided({}, "r-1", ImmediateResponse(200, b"", "fast_response"), monotonic())
    found.close()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert lines[0]["event"] == "tracing"
