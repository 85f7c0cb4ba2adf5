"""A detector at a server that is killed, slow or wrong, in a running router: its guard's `onError` decides."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import pytest

from support.detector_servers import PlayedServer, played, remote
from support.played_gateway import request_body, request_headers
from vsr_runtime.credentials import ServerAccess
from vsr_runtime.decision.guards.guard import Guard, in_order
from vsr_runtime.server.detectors.pool import RemotePool
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.metrics import Metrics

STRICT = Guard("names", "block", (), detector="names", threshold=0.5, types=frozenset({"PERSON"}))
LENIENT = replace(STRICT, passes_errors=True)
FOUND = [{"entity_type": "PERSON", "start": 0, "end": 3, "score": 0.9}]


def generation_of(settings, classifiers, *guards):
    """A policy with these guards, whose detectors are at servers."""
    own = replace(
        settings, program=replace(settings.program, guards=in_order(guards or (STRICT,))), decision_timeout=30.0
    )
    pool = RemotePool(classifiers, dict.fromkeys(classifiers, ServerAccess()), None)
    return own, Generation(own, pool)


def statuses(gateway, settings, chat, url, guard, *steps, **more):
    """The status of one request after each step; 200 for one that goes to a model."""
    own, generation = generation_of(settings, {"names": remote("presidio", url, ["PERSON"], **more)}, guard)

    async def whole():
        found = []
        async with gateway(own, generation=generation) as envoy:
            for step in steps:
                step()
                answers, _ = await envoy.send(request_headers(), request_body(chat("llama3-8b", "Ada Lovelace")))
                last = answers[-1]
                body = last.WhichOneof("response") == "request_body"
                found.append(200 if body else last.immediate_response.status.code)
        generation.pool.close()
        return found

    return asyncio.run(whole())


@pytest.mark.parametrize(("guard", "status"), [(STRICT, 503), (LENIENT, 200)])
def test_killed_detector_refuses_unless_the_policy_lets_errors_pass(gateway, settings, chat, guard, status):
    """It blocks while it runs; when it is gone, what the policy says follows; when it is back, it blocks again."""
    server = PlayedServer(lambda _: FOUND)
    try:
        steps = (lambda: None, server.kill)
        assert statuses(gateway, settings, chat, server.url, guard, *steps) == [403, status]
    finally:
        server.kill()


@pytest.mark.parametrize(("guard", "status"), [(STRICT, 503), (LENIENT, 200)])
def test_slow_detector_refuses_unless_the_policy_lets_errors_pass(gateway, settings, chat, guard, status):
    """Its own timeout applies, long before that of the request."""
    answer = threading.Event()

    def slow(_):
        answer.wait(20)
        return FOUND

    with played(slow) as server:
        try:
            steps = (lambda: None, lambda: None, answer.set)
            assert statuses(gateway, settings, chat, server.url, guard, *steps, timeout=300) == [status, status, 403]
        finally:
            answer.set()


@pytest.mark.parametrize(("guard", "status"), [(STRICT, 503), (LENIENT, 200)])
def test_wrong_detector_refuses_unless_the_policy_lets_errors_pass(gateway, settings, chat, guard, status):
    """A position that is not in the text is no clean text."""
    with played(lambda _: [FOUND[0] | {"end": 1000}]) as server:
        assert statuses(gateway, settings, chat, server.url, guard, lambda: None) == [status]


@pytest.mark.parametrize("guard", [STRICT, LENIENT])
def test_text_that_the_detector_refuses_never_passes(gateway, settings, chat, guard):
    """A client could write such a text to get past the guard."""
    with played(lambda _: (413, {}, b"{}")) as server:
        assert statuses(gateway, settings, chat, server.url, guard, lambda: None) == [413]


def test_spans_of_a_server_are_masked(gateway, settings, chat):
    """In code points of the text that the client sent, although the server reads it without what shows nothing."""
    text = "\U0001f600 A\u200bda asks"
    guard = replace(STRICT, action="mask")
    reply = {"entity_type": "PERSON", "start": 2, "end": 5, "score": 0.9}
    with played(lambda body: [reply] if "Ada" in body["text"] else []) as server:
        own, generation = generation_of(settings, {"names": remote("presidio", server.url, ["PERSON"])}, guard)

        async def whole():
            async with gateway(own, generation=generation) as envoy:
                answers, _ = await envoy.send(request_headers(), request_body(chat("llama3-8b", text)))
            generation.pool.close()
            return answers[-1].request_body.response.body_mutation.body

        body = json.loads(asyncio.run(whole()))
    assert body["messages"][0]["content"] == "\U0001f600 [PERSON_1] asks"


def test_no_more_requests_at_a_time_than_the_policy_allows(gateway, settings):
    """A request with many texts waits for its turns."""
    with played(lambda _: []) as server:
        classifiers = {"names": remote("presidio", server.url, ["PERSON"], concurrency=2)}
        own, generation = generation_of(settings, classifiers)
        messages = [{"role": "user", "content": f"text {number}"} for number in range(30)]
        body = json.dumps({"model": "llama3-8b", "messages": messages}).encode()

        async def whole():
            async with gateway(own, generation=generation) as envoy:
                await asyncio.gather(*(envoy.send(request_headers(), request_body(body)) for _ in range(3)))
            generation.pool.close()

        asyncio.run(whole())
    assert len(server.asked) >= 90
    assert server.most <= 2


def test_outcomes_and_unknown_labels_are_counted(gateway, settings, chat):
    """By classifier, without any text."""
    unknown = {"entity_type": "SHOE_SIZE", "start": 0, "end": 3, "score": 0.9}
    with played(lambda _: [unknown]) as server:
        assert statuses(gateway, settings, chat, server.url, STRICT, lambda: None) == [200]
    page = Metrics(settings.program).text().decode()
    assert 'vsr_detector_evaluations_total{detector="names",outcome="ok"}' in page
    assert 'vsr_detector_unknown_labels_total{detector="names"}' in page
    assert "SHOE" not in page
