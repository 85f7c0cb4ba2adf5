"""Kept answers from the policy file to the real Envoy: who gets them, and who must not."""

from __future__ import annotations

import json
import urllib.request

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running, events
from support.scripted import Scripted
from vsr_runtime.sandbox import Sandbox

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: kept}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s, responseHeaders: on-request}
endpoints:
  one: {service: {name: one, port: 8000}}
  two: {service: {name: two, port: 8000}}
models:
  big: {endpoints: [one]}
  little: {endpoints: [two]}
signals:
  shared: {keywords: [shared]}
  alike: {keywords: [capital, floor]}
  plain: {keywords: [plain]}
GUARDS
routes:
  - {name: everybody, when: {signal: shared}, model: little, cache: {scope: global}}
  - {name: similar, when: {signal: alike}, model: little, cache: {similarity: 0.92, ttl: 5m}}
  - {name: nothing, when: {signal: plain}, model: big}
  - {name: own, when: always, model: big, cache: {}}
default: big
"""
GUARDS = """\
guards:
  secrets: {patterns: ["sk-[A-Za-z0-9]{20}"], on: both}
  pii: {types: [EMAIL_ADDRESS], action: mask, unmask: true}
  names: {patterns: ["Agent [A-Z]+"], action: mask, on: response}
"""
KEY = "sk-0123456789abcdef-"
JANE, JOE = {"authorization": f"Bearer {KEY}jane"}, {"authorization": f"Bearer {KEY}joe"}

pytestmark = REAL_ENVOY


class Counting(Running):
    """Requests to a sandbox whose backends count."""

    def __init__(self, local: Sandbox, lines: list[str]) -> None:
        super().__init__(local, lines)
        self.answers = 0

    def asked(self, body, headers=JANE, answer: str | None = None, **more):
        """One request: whether a backend heard of it, and the answer. Backends never say the same twice."""
        self.answers += 1
        if answer is not None or not more.pop("scripted", False):
            Scripted.says(answer or f"answer {self.answers}")
        before = len(Scripted.requests)
        found = self.send(body, **headers, **more)
        return len(Scripted.requests) > before, found

    def kept(self, *arguments, **more) -> bool:
        """Whether no backend was asked, although one would have answered 200."""
        heard, (status, _, _) = self.asked(*arguments, **more)
        assert status == 200
        return not heard


def started(folder, guards: str):
    """A sandbox that keeps answers."""
    with compiled_sandbox(folder, POLICY.replace("GUARDS\n", guards), Counting) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Guards read every response."""
    yield from started(tmp_path_factory.mktemp("guarded"), GUARDS)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Responses are only taken down."""
    yield from started(tmp_path_factory.mktemp("bare"), "")


@pytest.fixture(params=["guarded", "bare"])
def gateway(request):
    """Either of them."""
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()


def test_the_same_request_of_the_same_client_is_answered_without_a_model(gateway, chat):
    """Byte for byte what the model answered, under its content type."""
    heard, (_, headers, first) = gateway.asked(chat("auto", "hello one"))
    assert heard
    heard, (status, again, second) = gateway.asked(chat("auto", "hello one"))
    assert (heard, status, second) == (False, 200, first)
    assert again["content-type"] == headers["content-type"] == "application/json"
    assert "x-vsr-cache-hit" not in again


def test_no_client_gets_the_answer_of_another(gateway, chat):
    """A client is its key, wherever it stands; who shows none, or one that many have, has nothing kept."""
    assert not gateway.kept(chat("auto", "hello two"))
    assert not gateway.kept(chat("auto", "hello two"), JOE)
    assert gateway.kept(chat("auto", "hello two"), JOE)
    for headers in ({"x-api-key": f"{KEY}jane"}, JANE | {"cookie": "a=b"}):
        assert not gateway.kept(chat("auto", "hello two"), headers)
        assert gateway.kept(chat("auto", "hello two"), headers)
    for headers in (
        {},
        {"cookie": "lang=en-0123456789abcdefghij"},
        {"authorization": "Bearer EMPTY"},
        {"authorization": "Bearer sk-no-key-required"},
        {"authorization": "Bearer 00000000000000000000"},
        {"x-authz-user-id": "jane-0123456789abcdefghij"},
    ):
        assert not gateway.kept(chat("auto", "hello two"), headers)
        assert not gateway.kept(chat("auto", "hello two"), headers)


def test_all_that_an_answer_depends_on_is_in_the_key(gateway, chat):
    """A parameter, a word, another turn before, another path or version, or another decision: a cache miss."""
    assert not gateway.kept(chat("auto", "hello three"))
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    last = {"role": "user", "content": "hello three"}
    system = {"role": "system", "content": "Be brief."}
    others = [
        chat("auto", "hello three", temperature=0.5),
        chat("auto", "hello three", max_tokens=5),
        chat("auto", "hello three", stream=True),
        chat("auto", "hello three", user="jane"),
        chat("auto", "hello  three"),
        json.dumps({"model": "auto", "messages": [*turns, last]}),
        json.dumps({"model": "auto", "messages": [system, last]}),
        chat("auto", "plain hello three"),
        chat("big", "hello three"),
    ]
    assert [gateway.kept(body) for body in others] == [False] * len(others)
    assert not gateway.kept(chat("auto", "hello three"), path="/v1/chat/completions?beta=true")
    assert not gateway.kept(chat("auto", "hello three"), JANE | {"openai-beta": "x"})
    assert gateway.kept(chat("auto", "hello three"))


def test_routes_without_a_cache_and_named_models_keep_nothing(gateway, chat):
    """A cache is a route's, and of a request that names its model no route is asked."""
    for body in (chat("auto", "plain hello"), chat("big", "hello")):
        assert not gateway.kept(body)
        assert not gateway.kept(body)


def test_a_client_can_have_a_new_answer(gateway, chat):
    """`cache-control: no-cache` and `no-store` keep out of the cache altogether."""
    assert not gateway.kept(chat("auto", "hello four"), JANE | {"cache-control": "no-store"})
    assert not gateway.kept(chat("auto", "hello four"))
    assert not gateway.kept(chat("auto", "hello four"), JANE | {"cache-control": "max-age=0, No-Cache"})
    assert gateway.kept(chat("auto", "hello four"))


def test_a_stream_is_kept_as_a_stream(gateway, chat):
    """A streamed request is answered by the events that were sent, and only by those."""
    for cut in (0, 7):
        body = chat("auto", f"hello five {cut}", stream=True)
        Scripted.streams("one", "two", cut=cut)
        sent = b"".join(Scripted.reply[2])
        heard, (_, _, first) = gateway.asked(body, scripted=True)
        again, (status, headers, second) = gateway.asked(body)
        assert (heard, again, status, headers["content-type"]) == (True, False, 200, "text/event-stream")
        assert first == second
        assert sent.endswith(second[-14:])
        assert not gateway.kept(chat("auto", f"hello five {cut}"))


def document(reason: str = "stop", **message) -> dict:
    """A chat completion."""
    full = {"role": "assistant", "content": "half"} | message
    return {"object": "chat.completion", "choices": [{"index": 0, "message": full, "finish_reason": reason}]}


@pytest.mark.parametrize("case", ["length", "tools", "cut off", "error", "status", "no-store", "long", "text"])
def test_what_is_not_a_whole_answer_is_not_kept(bare, chat, case):
    """Cut at a limit, a call of a tool, a stream that broke off, an error, or more than the capacity."""
    body = chat("auto", f"hello {case}", stream=case in {"cut off", "error"})
    match case:
        case "length":
            Scripted.document(document("length"))
        case "tools":
            Scripted.document(document(tool_calls=[{"id": "1", "function": {"name": "f", "arguments": "{}"}}]))
        case "cut off":
            Scripted.streams("one", "two")
            Scripted.reply[2].pop()
        case "error":
            Scripted.streams("one", "two")
            Scripted.reply[2].insert(2, b'data: {"error":{"message":"out of memory"}}\n\n')
        case "status":
            Scripted.document(document())
            Scripted.reply = (203, *Scripted.reply[1:])
        case "long":
            Scripted.document(document(content="word " * 60_000))
        case "no-store":
            Scripted.document(document(), cache_control="private, no-store")
        case "text":
            Scripted.document(document(), content_type="text/plain; charset=utf-8")
    heard, (status, _, _) = bare.asked(body, scripted=True)
    assert (heard, status) == (True, 203 if case == "status" else 200)
    assert not bare.kept(body)
    assert bare.kept(body)


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"functions": [{"name": "f"}]},
        {"store": True},
        {"web_search_options": {"a": 1}},
    ],
)
def test_requests_with_side_effects_are_not_cached(gateway, chat, more):
    """An answer to such a request is more than its text."""
    body = chat("auto", "hello six", **more)
    assert not gateway.kept(body)
    assert not gateway.kept(body)


def test_responses_are_kept_only_where_the_server_does_not(gateway):
    """By default a server remembers a response under its id."""
    response = {"id": "r", "object": "response", "status": "completed", "output": [{"type": "message", "content": []}]}
    for store, kept in ((None, False), (False, True)):
        body = json.dumps({"model": "auto", "input": "hello seven"} | ({} if store is None else {"store": store}))
        for expected in (True, not kept):
            Scripted.document(response)
            heard, (status, _, _) = gateway.asked(body, scripted=True, path="/v1/responses")
            assert (heard, status) == (expected, 200)


def test_a_shared_route_says_so_and_shares(gateway, chat):
    """`scope: global`: every client shares the answers."""
    assert not gateway.kept(chat("auto", "shared hello"))
    assert gateway.kept(chat("auto", "shared hello"), JOE)
    assert gateway.kept(chat("auto", "shared hello"), {})


def test_guards_come_before_what_was_kept(guarded, chat):
    """What is masked is for one request alone, and what is blocked is blocked, however often it is asked."""
    masked = chat("auto", "shared write to jane.doe@example.org")
    assert not guarded.kept(masked)
    assert not guarded.kept(masked)
    for _ in range(2):
        status, _, _ = guarded.send(chat("auto", "shared sk-" + "a1B2" * 5))
        assert status == 403


def test_what_a_guard_found_in_an_answer_is_not_kept(guarded, chat):
    """Neither what was masked, nor what was refused; streams alike."""
    for words, stream, status in (
        ("Agent SMITH", False, 200),
        ("sk-" + "a1B2" * 5, False, 403),
        ("Agent SMITH", True, 200),
        ("sk-" + "a1B2" * 5, True, 200),
    ):
        body = chat("auto", f"shared tell me {words[:5]} {stream}", stream=stream)
        for _ in range(2):
            if stream:
                Scripted.streams(words, " said")
            else:
                Scripted.says(words)
            heard, (given, _, data) = guarded.asked(body, scripted=True)
            assert (heard, given) == (True, status)
            assert words.encode() not in data


def test_similar_requests_get_one_answer_unless_numbers_or_negations_differ(gateway, chat):
    """The last turn may differ in its words; everything before it and beside it may not."""
    assert not gateway.kept(chat("auto", "What is the capital of France?"))
    assert gateway.kept(chat("auto", "What's the capital of France?"))
    assert not gateway.kept(chat("auto", "What is the capital of Italy?"))
    assert not gateway.kept(chat("auto", "What is not the capital of France?"))
    assert not gateway.kept(chat("auto", "What's the capital of France?", temperature=1))
    assert not gateway.kept(chat("auto", "What's the capital of France?"), JOE)
    assert not gateway.kept(chat("auto", "Who works on floor 41 of the tower?"))
    assert not gateway.kept(chat("auto", "Who works on floor 42 of the tower?"))
    parts = [{"type": "text", "text": "What is the capital of France?"}]
    assert not gateway.kept(chat("auto", parts))


def test_beginnings_that_are_alike_are_not_enough(gateway, chat):
    """What the encoder does not read to its end is compared with nothing."""
    long = "What is the capital of the following country, of which this is said: " + "it is large, " * 200
    assert not gateway.kept(chat("auto", long + "and it is France."))
    assert not gateway.kept(chat("auto", long + "and it is Peru."))
    assert gateway.kept(chat("auto", long + "and it is Peru."))


def test_clients_that_ask_see_that_an_answer_was_cached(gateway, chat):
    """In the stock router's words, with the similarity where there is one."""
    asks = JANE | {"x-vsr-debug": "true"}
    _, (_, headers, _) = gateway.asked(chat("auto", "capital of Spain, please?"), asks)
    assert (headers["x-vsr-response-path"], headers["x-vsr-cache-hit"]) == ("upstream", None)
    _, (_, headers, _) = gateway.asked(chat("auto", "capital of Spain, please?"), asks)
    assert (headers["x-vsr-response-path"], headers["x-vsr-cache-hit"]) == ("cache", "true")
    assert headers["x-vsr-selected-decision"] == "similar"
    assert headers["x-vsr-cache-similarity"] is None
    _, (_, headers, _) = gateway.asked(chat("auto", "capital of Spain please?"), asks)
    assert headers["x-vsr-cache-hit"] == "true"
    assert 0.92 <= float(headers["x-vsr-cache-similarity"]) <= 1.001


def test_hits_and_misses_are_counted_by_decision_and_no_text_is_logged(gateway, chat):
    """Under the stock router's names."""
    gateway.asked(chat("auto", "shared xylophone"))
    gateway.asked(chat("auto", "shared xylophone"), {"x_request_id": "kept"})
    assert gateway.logged("kept")
    (serving,) = events(gateway.lines, "serving")
    with urllib.request.urlopen(f"http://{serving['http']}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    for name in ("hits", "misses"):
        line = f'llm_cache_plugin_{name}_total{{decision_name="everybody",plugin_type="response_cache"}}'
        assert any(each.startswith(line) and not each.endswith(" 0.0") for each in text.splitlines())
    assert "xylophone" not in "".join(gateway.lines) + text
