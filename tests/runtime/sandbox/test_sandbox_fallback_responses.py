"""End to end: responses of the models that requests fall back to, read by guards, streamed, cached and as forms."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running
from support.unreliable import Unreliable

pytestmark = REAL_ENVOY
FIRST, SECOND = "backend/first", "backend/second"
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: failover}
router:
  image: registry.example/vsr-runtime:0.1.0
  onFailure: deny
  responseHeaders: always
  deadline: 20s
endpoints:
  first: {service: {name: a}}
  second: {service: {name: b}}
models:
  main: {endpoints: first}
  spare: {endpoints: second}
signals:
  kept: {keywords: [kept]}
guards:
  addresses: {types: [EMAIL_ADDRESS], action: mask, unmask: true}
  words: {patterns: [forbidden-word], on: both, except: {models: [main]}}
routes:
  - {name: kept, when: {signal: kept}, model: main, fallback: [spare], cache: {ttl: 60s, scope: global}}
default: {model: main, fallback: [spare]}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Running]:
    """One sandbox for all tests; each says how its backends behave."""
    with compiled_sandbox(tmp_path_factory.mktemp("fallback"), POLICY, backend=Unreliable) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean() -> None:
    Unreliable.behaviours.clear()
    Unreliable.requests.clear()


def ask(running: Running, text: str, path: str = "/v1/chat/completions", **more):
    """Ask: status, headers, body."""
    body = {"model": "auto", "max_tokens": 5, "messages": [{"role": "user", "content": text}], **more}
    return running.send(json.dumps(body), path=path)


def test_masked_values_come_back_in_the_response_of_a_fallback(running):
    """The placeholder reaches both models, and the client gets its own value."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: "echo"}
    status, _, body = ask(running, "write to ann@example.com")
    assert (status, b"ann@example.com" in body) == (200, True)
    assert all(b"ann@example.com" not in data for *_, data in Unreliable.requests)
    assert Unreliable.reached() == [FIRST, SECOND]


def test_a_guard_of_the_fallback_reads_its_response(running):
    """The first model is exempt; its response is read as well, since the router cannot know who will answer."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: "forbidden"}
    status, _, body = ask(running, "hello")
    assert (status, b"forbidden-word" in body) == (403, False)


def test_a_stream_of_the_fallback_is_streamed(running):
    """Only its status and headers had to arrive."""
    Unreliable.behaviours |= {FIRST: 503, SECOND: "stream"}
    status, headers, body = ask(running, "hello", stream=True)
    assert (status, headers["x-vsr-answered-by"]) == (200, "spare")
    assert b"data: [DONE]" in body


def test_a_response_of_a_fallback_is_not_cached(running):
    """The next request asks the first model again; its response is kept."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: "echo"}
    assert ask(running, "kept")[1]["x-vsr-answered-by"] == "spare"
    Unreliable.behaviours[FIRST] = "echo"
    assert ask(running, "kept")[1]["x-vsr-answered-by"] == "main"
    assert Unreliable.reached() == [FIRST, SECOND, FIRST]
    ask(running, "kept")
    assert Unreliable.reached() == [FIRST, SECOND, FIRST]


@pytest.mark.parametrize("size", [100_000, 3 << 20])
def test_a_large_body_is_sent_again_whole(running, size):
    """Up to `maxBody`: the proxy keeps it for the further attempts."""
    Unreliable.behaviours[FIRST] = 500
    text = "a word " * (size // 7)
    status, headers, _ = ask(running, "hello", metadata={"pad": text})
    assert (status, headers["x-vsr-answered-by"]) == (200, "spare")
    assert [len(data) > size for *_, data in Unreliable.requests] == [True, True]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/v1/completions"])
def test_other_apis_fall_back_as_well(running, path):
    """Each by its own field for the text."""
    Unreliable.behaviours[FIRST] = 429
    status, headers, _ = ask(running, "hello", path, input="hello", prompt="hello")
    assert (status, headers["x-vsr-answered-by"]) == (200, "spare")
    assert {path for _, path, *_ in Unreliable.requests} == {path}


def test_state_at_a_model_has_no_fallback(running):
    """Only the model that made the earlier response knows it, so the client has to say which."""
    Unreliable.behaviours[FIRST] = 500
    status, _, body = ask(running, "hello", "/v1/responses", input="go on", previous_response_id="resp_1")
    assert status == 400
    assert b"state" in body or b"model" in body
    assert Unreliable.reached() == []
