from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import grpc
import pytest

from support.played_gateway import ANY_TIME, request_body, request_headers, samples
from support.runtime_fakes import FakeClassifier
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.conditions import SignalCondition
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.signals.structure import build_structure
from vsr_runtime.server.decision_runner import LARGE_BODY
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.messages import EXT_PROC_SERVICE, HealthCheckRequest
from vsr_runtime.server.metrics import Metrics
from vsr_schemas.routerconfig import v0_4_0 as contract


def test_auto_request_is_routed_and_the_stream_closed(exchange, settings, chat):
    """Headers are answered, the body is answered with the decision, and the stream ends in OK right after it."""
    responses, code = exchange(settings, request_headers(), request_body(chat()))
    assert [response.WhichOneof("response") for response in responses] == ["request_headers", "request_body"]
    common = responses[1].request_body.response
    assert json.loads(common.body_mutation.body)["model"] == "phi4-mini"
    assert common.clear_route_cache
    assert code == grpc.StatusCode.OK


def test_answer_from_headers_ends_the_stream(exchange, settings):
    """A request that the headers already rule out is answered without waiting for its body."""
    responses, code = exchange(settings, request_headers(content_encoding="gzip"))
    assert [response.immediate_response.status.code for response in responses] == [415]
    assert code == grpc.StatusCode.OK


@pytest.mark.parametrize("messages", [[], [request_headers()]])
def test_stream_that_ends_undecided_is_an_error(exchange, settings, messages):
    """Envoy takes OK before a decision for a pass, so an early end must never be OK."""
    responses, code = exchange(settings, *messages)
    assert len(responses) == len(messages)
    assert code == grpc.StatusCode.INTERNAL


def test_body_that_does_not_come_is_waited_for_no_longer_than_a_minute(gateway, settings, monkeypatch):
    """Else a few clients that upload a byte now and then take every stream that there is."""

    async def whole():
        async with gateway(settings) as envoy:
            call = envoy.open()
            await call.write(request_headers())
            first = await call.read()
            envoy.minute_is_over()
            last = await call.read()
            monkeypatch.setattr("vsr_runtime.server.upload_timeout.UPLOAD", 0.1)
            silent = envoy.open()
            return first, last, await silent.read(), await call.code()

    first, last, silent, code = asyncio.run(whole())
    assert first.WhichOneof("response") == "request_headers"
    assert [each.immediate_response.status.code for each in (last, silent)] == [408, 408]
    assert code == grpc.StatusCode.OK


@pytest.mark.parametrize("mode", [0, 1, 3, 5])
def test_other_body_modes_abort_the_stream(gateway, settings, mode):
    """A gateway set up with another body mode gets an error that names it, before anything passes."""

    async def whole():
        async with gateway(settings) as envoy:
            call = envoy.open()
            await call.write(request_headers(mode))
            return await call.code(), await call.details()

    code, details = asyncio.run(whole())
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert "request_body_mode" in details


def test_body_without_headers_is_an_error(exchange, settings, chat):
    """A gateway that does not send the headers cannot carry the decision out, so nothing is decided."""
    responses, code = exchange(settings, request_body(chat()))
    assert responses == []
    assert code == grpc.StatusCode.FAILED_PRECONDITION


def test_gateway_that_announces_nothing_is_served_whole_bodies(exchange, settings, chat):
    """Releases without protocol_config work as long as the body is marked as complete."""
    responses, code = exchange(settings, request_headers(None), request_body(chat()))
    assert len(responses) == 2
    assert code == grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("prompt", "budget", "expected"),
    [("RAISE", ANY_TIME, "classifier_failed"), ("SLEEP", 0.05, "classifier_timeout")],
)
def test_classifier_that_fails_or_is_late_gives_503(exchange, settings, chat, prompt, budget, expected):
    """Without a classification there is no decision, so the request is rejected with a `retry-after`."""
    messages = request_headers(), request_body(chat(content=prompt))
    responses, code = exchange(settings, *messages, budget=budget)
    answer = responses[1].immediate_response
    assert answer.status.code == 503
    assert json.loads(answer.body)["error"]["code"] == expected
    assert {option.header.key for option in answer.headers.set_headers} == {"content-type", "retry-after"}
    assert code == grpc.StatusCode.OK


@pytest.mark.parametrize(("module", "passed"), [("conversations", 0), ("decision_runner", 1)])
def test_error_in_our_own_code_is_an_error_status(exchange, settings, chat, monkeypatch, capsys, module, passed):
    """Whatever breaks inside, the stream ends in INTERNAL, and neither status nor log shows the prompt."""

    def broken(*_):
        raise ZeroDivisionError("2+2 is")

    monkeypatch.setattr(f"vsr_runtime.server.{module}.advance", broken)
    responses, code = exchange(settings, request_headers(), request_body(chat()))
    assert len(responses) == passed
    assert code == grpc.StatusCode.INTERNAL
    assert "2+2" not in capsys.readouterr().err


def test_message_over_the_bound_is_refused(exchange, settings):
    """A message that the limits do not allow ends the stream in an error."""
    data = b" " * (settings.limits.maxMessage + 1)
    responses, code = exchange(settings, request_headers(), request_body(data))
    assert len(responses) == 1
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_large_body_is_read_like_a_small_one(exchange, settings, chat):
    """Bodies that are parsed in a thread come to the same decision."""
    data = chat(padding="x" * (LARGE_BODY - 200))
    assert len(data) < settings.limits.maxBody
    padded = data[:-1] + b" " * (LARGE_BODY - len(data)) + b"}"
    responses, code = exchange(settings, request_headers(), request_body(padded))
    assert responses[1].request_body.response.body_mutation.body == padded.replace(b'"auto"', b'"phi4-mini"')
    assert code == grpc.StatusCode.OK


def test_decision_is_logged_without_the_prompt(exchange, settings, chat, capsys):
    """One line a decision names request, category and model; the prompt is not in it."""
    exchange(settings, request_headers(x_request_id="r1"), request_body(chat(content="2+2 is private")))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (decision,) = [line for line in lines if line["event"] == "decision"]
    assert decision.items() >= {"request": "r1", "category": "math", "model": "phi4-mini", "named": False}.items()
    assert "private" not in json.dumps(lines)


def test_drain_aborts_undecided_streams(gateway, settings):
    """A stream that has not decided when the server stops ends in UNAVAILABLE, and so does a later one."""

    async def whole():
        async with gateway(settings) as envoy:
            call = envoy.open()
            await call.write(request_headers())
            await call.read()
            await envoy.processor.drain(0.05)
            first = await call.code()
            _, second = await envoy.send(request_headers())
            return first, second, envoy.processor.open_streams

    unavailable = grpc.StatusCode.UNAVAILABLE
    assert asyncio.run(whole()) == (unavailable, unavailable, 0)


def test_drain_lets_a_stream_finish(gateway, settings, chat):
    """A stream that decides within the patience is served although the server is stopping."""

    async def whole():
        async with gateway(settings) as envoy:
            call = envoy.open()
            await call.write(request_headers())
            await call.read()
            draining = asyncio.ensure_future(envoy.processor.drain(ANY_TIME))
            await asyncio.sleep(0.05)
            await call.write(request_body(chat()))
            response = await call.read()
            await draining
            return response.request_body.response.clear_route_cache, await call.code()

    assert asyncio.run(whole()) == (True, grpc.StatusCode.OK)


def test_client_that_leaves_frees_its_stream(gateway, settings, chat):
    """When the gateway gives a request up, its work is dropped, nothing stays open, and nothing is counted."""
    begun, go = threading.Event(), threading.Event()
    metrics = Metrics(settings.program)

    class Waiting(FakeClassifier):
        def classify(self, text):
            begun.set()
            assert go.wait(30)
            return super().classify(text)

    async def whole():
        async with gateway(settings, Waiting(), metrics=metrics) as envoy:
            call = envoy.open()
            await call.write(request_headers())
            await call.read()
            await call.write(request_body(chat()))
            await asyncio.to_thread(begun.wait)
            call.cancel()
            await asyncio.wait_for(_empty(envoy.processor), 10)
            go.set()

    asyncio.run(whole())
    assert all(line.endswith((" 0", " 0.0")) for line in samples(metrics, "llm_"))


async def _empty(processor: Processor) -> None:
    while processor.open_streams:  # noqa: ASYNC110 - the server tells nobody when a stream has gone
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("service", ["", EXT_PROC_SERVICE])
def test_health_follows_readiness(gateway, settings, service):
    """The health service says SERVING only while requests are taken."""

    async def whole():
        async with gateway(settings) as envoy:
            before = await envoy.check(HealthCheckRequest(service=service))
            envoy.health.ready = True
            after = await envoy.check(HealthCheckRequest(service=service))
            return before.status, after.status

    assert asyncio.run(whole()) == (2, 1)


def test_classifier_that_has_come_to_a_halt_is_not_ready_and_still_alive(gateway, settings):
    """Readiness tells a gateway to ask elsewhere; liveness does not depend on it."""

    async def whole():
        async with gateway(settings) as envoy:
            envoy.health.ready, envoy.health.stalled = True, lambda: True
            answer = await envoy.check(HealthCheckRequest(service=""))
            return answer.status, [envoy.health.page("GET", path).status for path in ("/readyz", "/healthz")]

    assert asyncio.run(whole()) == (2, [503, 200])


def test_health_of_an_unknown_service_is_not_found(gateway, settings):
    """Asking after a service that is not here is an error, as the health protocol has it."""

    async def whole():
        async with gateway(settings) as envoy:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await envoy.check(HealthCheckRequest(service="other"))
            return error.value.code()

    assert asyncio.run(whole()) == grpc.StatusCode.NOT_FOUND


def pattern_settings(settings, pattern: str, count: float):
    """The settings with one route, by how often a pattern occurs."""
    rule = {
        "name": "p",
        "feature": {"type": "count", "source": {"type": "regex", "pattern": pattern}},
        "predicate": {"gte": count},
    }
    signal = build_structure(contract.StructureRule.model_validate(rule))
    name = ("structure", "p")
    targets = ((settings.program.models["phi4-mini"], 100),)
    program = replace(
        settings.program, routes=(PolicyRoute("p", SignalCondition(name), targets),), signals={name: signal}
    )
    return replace(settings, program=program)


def test_pattern_and_text_that_take_long_end_at_the_deadline(gateway, settings, chat):
    """Counting whose every step looks at all the text leaves the event loop free and is refused in time."""
    slow = pattern_settings(settings, "a.*b|a", 100_000.0)
    hostile = request_headers(), request_body(chat(content="a" * 200_000))

    async def whole():
        async with gateway(slow, budget=0.3) as envoy:
            stuck = asyncio.ensure_future(envoy.send(*hostile))
            served = [await envoy.send(request_headers(), request_body(chat("llama3-8b"))) for _ in range(20)]
            return await stuck, served

    (responses, code), served = asyncio.run(whole())
    assert responses[1].immediate_response.status.code == 503
    assert json.loads(responses[1].immediate_response.body)["error"]["code"] == "classifier_timeout"
    assert code == grpc.StatusCode.OK
    assert all(answers[1].WhichOneof("response") == "request_body" for answers, _ in served)


def test_pattern_on_a_large_text_is_decided_in_a_thread(exchange, settings, chat):
    """Where there is time, the outcome is that of the pattern."""
    counting = pattern_settings(settings, "b", 3.0)
    for text, model in (("b" * 150_000, "phi4-mini"), ("a" * 150_000, "llama3-8b")):
        responses, _ = exchange(counting, request_headers(), request_body(chat(content=text)))
        assert json.loads(responses[1].request_body.response.body_mutation.body)["model"] == model


@pytest.mark.parametrize("model", ["auto", "llama3-8b"])
@pytest.mark.parametrize("what", ["a long text", "many short texts"])
def test_guards_look_at_what_takes_long_in_a_thread(exchange, settings, chat, model, what):
    """Also where the category is found out first: the event loop serves all others."""
    threads = []

    def finder(*_):
        threads.append(threading.current_thread())
        return []

    guarded = replace(
        settings, program=replace(settings.program, guards=(Guard("g", "mask", (finder,), max_tokens=20_000),))
    )
    text, more = ("2+2 " * 15_000, {}) if what == "a long text" else ("2+2", {"x": [f"{i}" for i in range(1000)]})
    _, code = exchange(guarded, request_headers(), request_body(chat(model, text, **more)))
    assert code == grpc.StatusCode.OK
    assert threads
    assert all(thread.name.startswith("read") for thread in threads)
    threads.clear()
    exchange(guarded, request_headers(), request_body(chat(model, "2+2")))
    assert not any(thread.name.startswith("read") for thread in threads)


def test_bytes_in_work_are_bounded(gateway, settings, chat):
    """A body beyond the bound is refused with a time to come back and counted; its bytes are given back."""
    metrics = Metrics(settings.program)
    small, large = chat("llama3-8b"), chat("llama3-8b", "x" * 2000)

    async def whole():
        async with gateway(settings, metrics=metrics, max_held=1000) as envoy:
            outcomes = []
            for data in (small, large, small):
                outcomes.append(await envoy.send(request_headers(), request_body(data)))
                await envoy.let_go()
            return outcomes

    first, refused, last = asyncio.run(whole())
    answer = refused[0][1].immediate_response
    assert answer.status.code == 503
    assert json.loads(answer.body)["error"]["code"] == "overloaded"
    assert {option.header.key for option in answer.headers.set_headers} == {"content-type", "retry-after"}
    assert refused[1] == grpc.StatusCode.OK
    assert [each[0][1].WhichOneof("response") for each in (first, last)] == ["request_body"] * 2
    assert samples(metrics, "vsr_request_bytes_in_work") == ["vsr_request_bytes_in_work 0.0"]
    assert samples(metrics, "vsr_shed_requests_total") == ["vsr_shed_requests_total 1.0"]


def test_decisions_and_errors_are_counted(gateway, settings, chat):
    """Each request is in the metrics: its model, its decision, or why it was refused."""
    metrics = Metrics(settings.program)

    async def whole():
        async with gateway(settings, metrics=metrics) as envoy:
            for data in (chat(), chat("llama3-8b"), chat("gpt"), chat(content="RAISE")):
                await envoy.send(request_headers(), request_body(data))
            await envoy.send()

    asyncio.run(whole())
    assert 'llm_model_requests_total{model="phi4-mini"} 1.0' in samples(metrics, "llm_model_requests_total")
    assert samples(metrics, "llm_decision_match_total") == ['llm_decision_match_total{decision_name="math"} 1.0']
    assert {line.split("reason=")[1] for line in samples(metrics, "llm_request_errors_total")} == {
        '"model_not_found"} 1.0',
        '"classifier_failed"} 1.0',
        '"aborted"} 1.0',
    }
    assert samples(metrics, "llm_model_routing_latency_seconds_count") == [
        "llm_model_routing_latency_seconds_count 4.0"
    ]
