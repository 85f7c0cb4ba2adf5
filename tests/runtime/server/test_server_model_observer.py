"""What a server observes of models, and that decisions follow it."""

from __future__ import annotations

import asyncio
import json

import pytest

from support.played_gateway import request_body, request_headers
from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.request.events import ResponsePlan, SendToModel
from vsr_runtime.decision.selection.observations import Observed, Wanted
from vsr_runtime.server.messages import STREAMED, ProcessingRequest
from vsr_runtime.server.model_observer import MAX_AGE, MAX_VALUES, ModelObserver, Window
from vsr_runtime.settings import load

WANTED = Wanted(frozenset({"m"}), frozenset({50}), frozenset({50}))
CHOSEN = SendToModel("m", None, (), signals=SignalValues(), response=ResponsePlan(Api.CHAT))
NAMED = SendToModel("m", None, (), response=ResponsePlan(Api.CHAT))
JSON = {":status": "200", "content-type": "application/json"}
EVENTS = {":status": "200", "content-type": "text/event-stream"}
USAGE = b'{"usage": {"prompt_tokens": 3, "completion_tokens": 10}}'


@pytest.fixture
def clock():
    """A clock that tests set."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


def _one(observer):
    return observer.snapshot(WANTED).get("m")


def test_a_document_counts_from_its_headers_and_by_its_tokens(clock):
    """The first token counts from the arrival of the request's body, tokens from that of its headers."""
    observer = ModelObserver(clock)
    watch = observer.watch(CHOSEN, 99.0, 100.0)
    assert _one(observer) == Observed(1)
    clock.now = 102.0
    watch.begin(JSON)
    clock.now = 104.0
    watch.feed(USAGE, last=True)
    assert _one(observer) == Observed(0, {50: 0.5}, {50: 2.0})


def test_a_stream_counts_from_its_first_part(clock):
    """And by its tokens only if it says them."""
    observer = ModelObserver(clock)
    watch = observer.watch(CHOSEN, 100.0, 100.0)
    watch.begin(EVENTS)
    clock.now = 101.0
    watch.feed(b'data: {"choices": []}\n\n', last=False)
    clock.now = 110.0
    watch.feed(b"data: [DONE]\n\n", last=True)
    assert _one(observer) == Observed(0, {}, {50: 1.0})
    watch = observer.watch(CHOSEN, 110.0, 110.0)
    watch.begin(EVENTS)
    clock.now = 120.0
    watch.feed(b"data: " + USAGE + b"\n\ndata: [DONE]\n\n", last=True)
    assert _one(observer).tpot == {50: 1.0}


def test_errors_do_not_make_a_model_fast(clock):
    """A server that rejects everything at once would get all requests."""
    observer = ModelObserver(clock)
    for status in ("503", "429", "", "2oo"):
        watch = observer.watch(CHOSEN, 100.0, 100.0)
        clock.now += 1
        watch.begin(JSON | {":status": status})
        watch.feed(USAGE, last=True)
        watch.close()
    assert _one(observer) == Observed(0)


def test_a_response_that_breaks_off_counts_no_tokens(clock):
    """Its request is in flight no longer."""
    observer = ModelObserver(clock)
    watch = observer.watch(CHOSEN, 100.0, 100.0)
    clock.now = 101.0
    watch.begin(JSON)
    watch.close()
    assert _one(observer) == Observed(0, {}, {50: 1.0})


def test_requests_whose_model_the_client_names_are_not_in_flight(clock):
    """Their responses are measured, as in the stock router."""
    observer = ModelObserver(clock)
    observer.watch(NAMED, 100.0, 100.0)
    assert _one(observer) == Observed(0)


def test_requests_in_flight_are_forgotten_after_ten_minutes(clock):
    """As in the stock router."""
    observer = ModelObserver(clock)
    observer.watch(CHOSEN, 100.0, 100.0)
    clock.now += MAX_AGE + 1
    observer.watch(CHOSEN, 100.0, 100.0)
    assert _one(observer) == Observed(1)


def test_few_values_count_as_their_moving_average():
    """From three on percentiles are computed."""
    window = Window()
    window.add(1.0)
    window.add(2.0)
    assert window.at(frozenset({50})) == {50: pytest.approx(0.3 * 2 + 0.7 * 1)}
    window.add(9.0)
    assert window.at(frozenset({50, 100})) == {50: 2.0, 100: 9.0}


def test_old_values_are_dropped():
    """However many responses there are, memory is bounded."""
    window = Window()
    for i in range(3 * MAX_VALUES):
        window.add(float(i))
    assert window.at(frozenset({100}))[100] == 3 * MAX_VALUES - 1
    assert len(window._ordered) == len(window._values) == MAX_VALUES
    assert window._ordered == sorted(window._values)


def test_models_of_another_policy_are_forgotten(clock):
    """A reload keeps what is still there."""
    observer = ModelObserver(clock)
    observer.watch(CHOSEN, 100.0, 100.0)
    observer.keep(frozenset({"m"}))
    assert _one(observer) is not None
    observer.keep(frozenset())
    assert _one(observer) is None


CONFIG = """version: v0.3
providers:
  defaults: {model: a}
  models: [{name: a, backend_refs: [{endpoint: "a:80"}]}, {name: b, backend_refs: [{endpoint: "b:80"}]}]
routing:
  decisions:
    - name: all
      rules: {operator: AND, conditions: []}
      modelRefs: [{model: a}, {model: b}]
      algorithm: {type: multi_factor, multi_factor: {weights: {load: 1}}}
"""


def test_a_request_in_flight_sends_the_next_one_elsewhere(gateway, tmp_path):
    """Through the whole server, and back once its response has ended."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    settings = load(tmp_path / "config.yaml")
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hello"}]}).encode()

    def opening():
        message = request_headers()
        message.protocol_config.response_body_mode = STREAMED
        return message

    def selected(answer):
        headers = answer.request_body.response.header_mutation.set_headers
        return next(one.header.raw_value for one in headers if one.header.key == "x-selected-model")

    async def decided(call):
        await call.write(opening())
        await call.read()
        await call.write(request_body(body))
        return selected(await call.read())

    async def whole():
        async with gateway(settings) as envoy:
            first, second, third = envoy.open(), envoy.open(), envoy.open()
            models = [await decided(first), await decided(second)]
            message = ProcessingRequest()
            message.response_headers.headers.headers.add(key=":status", raw_value=b"200")
            message.response_headers.headers.headers.add(key="content-type", raw_value=b"application/json")
            await first.write(message)
            await first.read()
            message = ProcessingRequest()
            message.response_body.body = USAGE
            message.response_body.end_of_stream = True
            await first.write(message)
            await first.read()
            models.append(await decided(third))
            for call in (first, second, third):
                await call.done_writing()
            return models

    assert asyncio.run(whole()) == [b"a", b"b", b"a"]
