"""Guards from the policy file to the real Envoy: every action, in requests, in responses, and in streams."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY
from support.scripted import Scripted
from vsr_runtime.server.exchange import logged_id

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: guarded}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s}
endpoints:
  one: {service: {name: one, port: 8000}}
  two: {service: {name: two, port: 8000}}
models:
  big: {endpoints: [one]}
  little: {endpoints: [two]}
guards:
  secrets: {patterns: ["sk-[A-Za-z0-9]{20}"], action: block, on: both}
  pii: {types: [EMAIL_ADDRESS], action: mask, unmask: true, except: {models: [little]}}
  names: {patterns: ["Agent [A-Z]+"], action: mask, on: response}
  inside: {patterns: ["PROJECT-[0-9]{4}"], action: route, model: little}
  watch: {patterns: ["(?i)weather"], action: flag, on: both}
default: big
"""
KEY = "sk-" + "a1B2" * 5
MAIL = "jane.doe@example.org"

pytestmark = REAL_ENVOY


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, transport):
    """A sandbox with guards."""
    with compiled_sandbox(tmp_path_factory.mktemp("guards"), POLICY, transport=transport) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()
    Scripted.says("fine")


def body(content="hello", model="auto", **more):
    """A chat request."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more})


def test_block_answers_403_with_a_code_and_no_backend_hears(gateway):
    """The error has OpenAI's form, the code names the guard, and nothing of the text is in log or answer."""
    for model in ("auto", "big", "little"):
        status, headers, data = gateway.send(body(f"my key is {KEY}", model), x_request_id=f"refused-{model}")
        assert status == 403
        assert json.loads(data)["error"]["code"] == "guard:secrets"
        assert KEY.encode() not in data
        assert "x-backend" not in headers
        assert gateway.logged(f"refused-{model}")
    assert Scripted.requests == []
    assert KEY not in "".join(gateway.lines)


def test_mask_edits_the_request_and_the_response_gets_it_back(gateway):
    """The backend reads a placeholder under the exact length; the client reads the original."""
    Scripted.says("I wrote to [EMAIL_ADDRESS_1] and to [EMAIL_ADDRESS_2].")
    status, _, data = gateway.send(body(f"Write to {MAIL}!"))
    sent = json.loads(Scripted.requests[0][1])
    assert sent["messages"][0]["content"] == "Write to [EMAIL_ADDRESS_1]!"
    assert status == 200
    content = json.loads(data)["choices"][0]["message"]["content"]
    assert content == f"I wrote to {MAIL} and to [EMAIL_ADDRESS_2]."


def test_exempt_models_get_the_text_as_it_is(gateway):
    """`except` is about where a request ends, also when the client names the model."""
    sent = body(f"Write to {MAIL}!", "little")
    gateway.send(sent)
    assert Scripted.requests[0][1] == sent.encode()


def test_route_sends_to_the_named_model_whatever_was_asked_for(gateway):
    """A request that names its model is routed too."""
    for model in ("auto", "big"):
        status, headers, _ = gateway.send(body("About PROJECT-1234", model))
        assert (status, headers["x-backend"]) == (200, "backend/two")
    assert json.loads(Scripted.requests[-1][1])["model"] == "little"


def test_flag_tells_the_backend_and_a_client_cannot(gateway):
    """The header is ours: a client's own is stripped."""
    gateway.send(body("What is the weather?"), x_vsr_guards="forged")
    gateway.send(body("hello"), x_vsr_guards="forged")
    assert [headers.get("x-vsr-guards") for headers, _ in Scripted.requests] == ["watch", None]


def test_response_that_is_blocked_reaches_nobody(gateway):
    """The client gets 403 instead of the document, whatever status the backend gave."""
    Scripted.says(f"the key is {KEY}")
    status, _, data = gateway.send(body())
    assert status == 403
    assert json.loads(data)["error"]["code"] == "guard:secrets"
    assert KEY.encode() not in data


def test_response_is_masked_and_flagged_with_the_right_length(gateway):
    """What is masked in a response stays masked; the flag is a header that the client reads."""
    Scripted.says("Agent SMITH likes the weather.")
    status, headers, data = gateway.send(body())
    assert status == 200
    assert json.loads(data)["choices"][0]["message"]["content"] == "[PATTERN_1] likes the weather."
    assert headers["x-vsr-guards"] == "watch"


def test_header_of_a_response_with_a_key_reaches_nobody(gateway):
    """Whatever its name is; status, body and other headers do."""
    reply = {"x-leak": f"token {KEY}", "x-fine": "some fine words", "location": f"http://x/{KEY}"}
    Scripted.document({"choices": []}, **reply)
    status, headers, data = gateway.send(body())
    assert (status, json.loads(data), headers["x-fine"]) == (200, {"choices": []}, "some fine words")
    assert headers.get("x-leak") is None
    assert headers.get("location") is None
    Scripted.reply = (302, {"content-type": "text/plain", **reply}, [b"elsewhere"])
    status, headers, data = gateway.send(body())
    assert (status, data, headers.get("location")) == (302, b"elsewhere", None)


def test_restored_value_makes_no_key_twice(gateway):
    """Parsers would read different responses."""
    Scripted.document({"[EMAIL_ADDRESS_1]": 1, MAIL: 2})
    status, _, data = gateway.send(body(f"mail {MAIL}", "big"))
    assert (status, json.loads(data)["error"]["code"]) == (502, "duplicate_key")


def test_id_of_a_client_does_not_carry_text_into_the_log(gateway):
    """It is logged as a digest."""
    gateway.send(body(), x_request_id=KEY)
    assert gateway.sandbox.decision(logged_id(KEY), 5) is not None
    assert gateway.sandbox.decision(KEY, 0) is None


def test_stream_of_padded_letters_is_cut_off(gateway):
    """As a document with the same text is refused."""
    text = "\u200b".join(f"{letter}{chr(0x200B) * 149}" for letter in KEY)
    Scripted.streams(*(text[at : at + 997] for at in range(0, len(text), 997)))
    _, parsed, _ = stream(gateway.send(body(stream=True))[2])
    assert parsed[-1]["error"]["code"] == "guard:secrets"
    Scripted.says(text)
    assert gateway.send(body())[0] == 403


def test_responses_are_asked_for_uncompressed_and_refused_if_they_are(gateway):
    """A guard that cannot read is no guard."""
    gateway.send(body(), accept_encoding="gzip")
    assert "accept-encoding" not in Scripted.requests[0][0]
    Scripted.document(b"\x1f\x8b", content_encoding="gzip")
    assert gateway.send(body())[0] == 502


@pytest.mark.parametrize("bad", [b"{", b"[1]", b'{"a":NaN}', b'{"a":1,"a":2}'])
def test_response_that_cannot_be_read_is_refused(gateway, bad):
    """Fail closed: what guards cannot parse does not pass."""
    Scripted.document(bad)
    status, _, data = gateway.send(body())
    assert (status, json.loads(data)["error"]["code"]) == (502, "guard_failed:secrets")


def stream(data: bytes):
    """The events of a stream, and the text that a client puts together."""
    events = [line.removeprefix("data: ") for line in data.decode().split("\n\n") if line]
    parsed = [json.loads(event) for event in events if event != "[DONE]"]
    text = "".join(
        choice.get("delta", {}).get("content") or "" for event in parsed for choice in event.get("choices", ())
    )
    return events, parsed, text


@pytest.mark.parametrize("cut", [0, 1, 7, 100_000])
def test_stream_is_unmasked_masked_and_ends_well_wherever_it_is_cut(gateway, cut):
    """Placeholders and findings cross events, and events cross chunks."""
    Scripted.streams("Dear [EMAIL_", "ADDRESS_1], ag", "Agent SM", "ITH says ", "x" * 600, " bye", cut=cut)
    status, headers, data = gateway.send(body(f"Write to {MAIL}!", stream=True))
    events, parsed, text = stream(data)
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert text == f"Dear {MAIL}, ag[PATTERN_1] says " + "x" * 600 + " bye"
    assert events[-1] == "[DONE]"
    assert parsed[-1]["choices"][0]["finish_reason"] == "stop"


def test_stream_is_cut_off_where_it_is_blocked(gateway):
    """The finding crosses events; none of it gets out, and the stream ends as the API ends one."""
    Scripted.streams("fine " * 200, f"key {KEY[:9]}", KEY[9:], " and more " * 100)
    status, _, data = gateway.send(body(stream=True))
    events, parsed, text = stream(data)
    assert status == 200
    assert text.startswith("fine fine")
    assert "sk-" not in text
    assert parsed[-1]["error"]["code"] == "guard:secrets"
    assert events[-1] == "[DONE]"


def test_log_names_the_guards_and_says_no_word_of_a_text(gateway):
    """One line names the guards of a request, another those of its response."""
    Scripted.says("Agent SMITH")
    gateway.send(body(f"The weather for {MAIL}"), x_request_id="logged")
    records = gateway.logged("logged", 2)
    assert [record["event"] for record in records] == ["decision", "response"]
    assert records[0]["guards"] == "pii:mask, watch:flag"
    assert records[1]["guards"] == "names:mask"
