"""`responseHeaders` from the policy file to the real Envoy: who gets debug headers, and at what cost."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY
from support.scripted import Scripted

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: debug-headers}}
router: {{image: "registry.example/vsr-runtime:0.1.0", deadline: 20s, responseHeaders: {who}}}
endpoints:
  one: {{service: {{name: one, port: 8000}}}}
  two: {{service: {{name: two, port: 8000}}}}
models:
  big: {{endpoints: [one]}}
  little: {{endpoints: [two]}}
signals:
  urgent: {{keywords: [urgent]}}
  hello: {{keywords: [hello]}}
{more}
routes:
  - {{name: greeting, when: {{signal: hello}}, respond: Hello.}}
  - {{name: hurry / now, when: {{signal: urgent}}, model: little}}
default: big
"""
GUARDS = "guards: {names: {patterns: ['Agent [A-Z]+'], action: mask, on: response}}"
DEBUG_HEADERS = ("x-vsr-selected-model", "x-vsr-selected-decision", "x-vsr-selected-category", "x-vsr-response-path")

pytestmark = REAL_ENVOY


def started(tmp_path_factory, who: str, more: str = ""):
    """A sandbox that tells."""
    with compiled_sandbox(tmp_path_factory.mktemp("debug_headers"), POLICY.format(who=who, more=more)) as running:
        yield running


@pytest.fixture(scope="module")
def always(tmp_path_factory):
    """Every client gets debug headers."""
    yield from started(tmp_path_factory, "always")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Clients that ask get debug headers."""
    yield from started(tmp_path_factory, "on-request")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Clients that ask get debug headers, and responses are read."""
    yield from started(tmp_path_factory, "on-request", GUARDS)


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()
    Scripted.says("fine")


def debug_headers(answer) -> list[str | None]:
    """What the headers say, in the order above."""
    return [answer[1].get(name) for name in DEBUG_HEADERS]


def test_every_client_gets_model_decision_and_path(always, chat):
    """Names are spelt as the stock router spells them; what is not allowed in a header is percent-encoded."""
    assert debug_headers(always.send(chat("auto", "urgent"))) == ["little", "hurry / now", None, "upstream"]
    assert debug_headers(always.send(chat("auto", "whenever"))) == ["big", None, None, "upstream"]
    assert debug_headers(always.send(chat("little", "hello"))) == ["little", None, None, "upstream"]
    assert debug_headers(always.send(chat("auto", "hello"))) == [None, "greeting", None, "fast_response"]
    assert debug_headers(always.send(b"{")) == [None] * 4


def test_a_model_does_not_tell_in_our_name(always, chat):
    """What the backend says under these names is overwritten or taken out."""
    Scripted.document({"a": 1}, x_vsr_selected_model="forged", x_vsr_selected_category="forged")
    assert debug_headers(always.send(chat("auto", "whenever"))) == ["big", None, None, "upstream"]


@pytest.mark.parametrize("name", ["always", "asked", "guarded"])
def test_a_stream_gets_debug_headers_and_passes_unchanged(name, request, chat):
    """Only the headers are looked at, unless guards read the rest."""
    gateway = request.getfixturevalue(name)
    Scripted.streams("a", "b", "c")
    sent = b"".join(Scripted.reply[2])
    status, headers, data = gateway.send(chat("auto", "urgent", stream=True), x_vsr_debug="true")
    assert (status, headers["content-type"], headers["x-vsr-selected-model"]) == (200, "text/event-stream", "little")
    assert (data == sent) is (name != "guarded")
    assert data.endswith(b"data: [DONE]\n\n")


def test_only_clients_that_ask_get_debug_headers(asked, chat):
    """Nobody else waits for a response to be looked at; and what was asked once is not remembered."""
    expected = ["little", "hurry / now", None, "upstream"]
    for asks, headers in (("true", expected), (None, [None] * 4), ("1", [None] * 4), ("true", expected)):
        assert debug_headers(asked.send(chat("auto", "urgent"), x_vsr_debug=asks)) == headers
    assert debug_headers(asked.send(chat("auto", "hello"), x_vsr_debug="true")) == [
        None,
        "greeting",
        None,
        "fast_response",
    ]
    assert debug_headers(asked.send(chat("auto", "hello"))) == [None] * 4


def test_guards_read_responses_with_debug_headers(guarded, chat):
    """Both are done in one response."""
    Scripted.says("Agent SMITH")
    answer = guarded.send(chat("auto", "urgent"), x_vsr_debug="true")
    assert debug_headers(answer) == ["little", "hurry / now", None, "upstream"]
    assert json.loads(answer[2])["choices"][0]["message"]["content"] == "[PATTERN_1]"
    answer = guarded.send(chat("auto", "urgent"))
    assert debug_headers(answer) == [None] * 4
    assert json.loads(answer[2])["choices"][0]["message"]["content"] == "[PATTERN_1]"


def test_large_bodies_are_decided_where_the_mode_is_overridden(asked, chat):
    """The override says the request's mode again: the body still comes whole, and is rewritten."""
    for content in (iter([chat("auto", "urgent")[:20], chat("auto", "urgent")[20:]]), chat("auto", "urgent " * 50_000)):
        answer = asked.send(content, x_vsr_debug="true")
        assert (answer[0], debug_headers(answer)[0]) == (200, "little")
        assert json.loads(Scripted.requests[-1][1])["model"] == "little"
