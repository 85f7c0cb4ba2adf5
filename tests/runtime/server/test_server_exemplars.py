"""Exemplars: which trace an observation of the latency belongs to, in OpenMetrics only."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from support.played_gateway import request_body, request_headers
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import SendToModel
from vsr_runtime.server.counters import State
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.supervisor.http_proxy import HttpProxy
from vsr_runtime.server.trace import Tracing

TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
NAME = "llm_model_routing_latency_seconds"
SENT = SendToModel("m", None, (), ())


def exemplars(text: bytes) -> dict[str, dict[str, str]]:
    """The labels of the exemplar of each bucket, by the bucket's bound; the page must be strict OpenMetrics."""
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    return {
        sample.labels["le"]: sample.exemplar.labels
        for sample in families[NAME].samples
        if sample.exemplar is not None and sample.exemplar.value <= float(sample.labels["le"])
    }


def observed(*traces: tuple[float, tuple[int, int] | None]) -> Metrics:
    """Metrics after decisions of these durations."""
    metrics = Metrics(Program({}, (), (), "none"))
    for seconds, trace in traces:
        metrics.decided(SENT, seconds, trace)
    return metrics


def test_bucket_names_its_last_sampled_trace():
    """With the ids as traces have them; buckets without one have none."""
    metrics = observed((0.003, (1, 1)), (0.003, (TRACE, SPAN)), (0.003, None), (1.5, (2, 3)), (30, None))
    ids = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
    assert exemplars(metrics.text(exemplars=True)) == {
        "0.005": ids,
        "2.0": {"trace_id": f"{2:032x}", "span_id": f"{3:016x}"},
    }


def test_text_format_is_as_without_traces():
    """It has no exemplars, and scrapers that ask for it get the same bytes as before."""
    assert observed((0.003, (TRACE, SPAN))).text() == observed((0.003, None)).text()
    assert b'le="1"' in observed().text()


def test_processes_together_have_their_last_exemplars():
    """Their reports go through JSON, as between processes."""
    first, second = observed((0.003, (7, 7)), (0.3, (8, 8))), observed((0.003, (TRACE, SPAN)))
    quiet = observed((0.003, None))
    states = [msgspec.json.decode(msgspec.json.encode(each.state()), type=State) for each in (first, second, quiet)]
    text = Metrics().joined_text(states, exemplars=True)
    assert {bound: labels["span_id"] for bound, labels in exemplars(text).items()} == {
        "0.005": f"{SPAN:016x}",
        "0.5": f"{8:016x}",
    }
    count = next(line for line in text.decode().splitlines() if line.startswith(f"{NAME}_count"))
    assert count.endswith(" 4.0")


@pytest.mark.parametrize("sampled", [True, False])
def test_decision_with_a_sampled_span_is_an_exemplar(gateway, settings, chat, sampled):
    """The trace that is found is the request's own."""
    spans, metrics = InMemorySpanExporter(), Metrics(settings.program)
    provider = TracerProvider() if sampled else TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(spans))

    async def whole():
        async with gateway(settings, metrics=metrics, tracing=Tracing(provider)) as envoy:
            await envoy.send(request_headers(), request_body(chat()))

    asyncio.run(whole())
    found = {labels["trace_id"] for labels in exemplars(metrics.text(exemplars=True)).values()}
    assert found == {format(span.context.trace_id, "032x") for span in spans.get_finished_spans()}
    assert len(found) == sampled


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text;version=1.0.0"])
def test_parent_of_several_processes_negotiates_as_well(accept):
    """It answers scrapes itself, for all of them."""

    class Upstream:
        ready, http = True, ()

        async def metrics(self, *, exemplars: bool = False) -> bytes:
            return json.dumps(exemplars).encode()

    request = f"GET /metrics HTTP/1.1\r\nhost: x\r\nACCEPT: {accept}\r\n\r\n".encode()
    answer = asyncio.run(HttpProxy(Upstream())._own(request))
    assert answer.endswith(b"true" if accept else b"false")
    assert (b"openmetrics" in answer) is bool(accept)
