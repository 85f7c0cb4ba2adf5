"""Detectors from the policy file to the real Envoy: checkpoints that know some words, in requests and responses."""

from __future__ import annotations

import json
import os

import pytest

from support.checkpoints import plant
from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY
from support.scripted import Scripted

pytest.importorskip("torch", reason="torch is not installed: checkpoints cannot be run")

PERSONS, ATTACKS = "a" * 40, "b" * 40
POLICY = f"""\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: detected}}
router: {{image: "registry.example/vsr-runtime:0.1.0", deadline: 20s}}
endpoints:
  one: {{service: {{name: one, port: 8000}}}}
  two: {{service: {{name: two, port: 8000}}}}
models:
  big: {{endpoints: [one]}}
  little: {{endpoints: [two]}}
classifiers:
  persons: {{task: pii, checkpoint: {{repo: org/persons, revision: {PERSONS}}}}}
  attacks: {{task: jailbreak, checkpoint: {{repo: org/attacks, revision: {ATTACKS}}}}}
guards:
  names: {{types: [PERSON, EMAIL_ADDRESS], detector: persons, action: mask, unmask: true, on: both}}
  places: {{types: [GPE], detector: persons, action: route, model: little}}
  jailbreak: {{detector: attacks, action: block, on: both}}
default: big
"""
MAIL = "jane.doe@example.org"

pytestmark = REAL_ENVOY


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A sandbox with the policy as it was compiled, before scripted backends. "aa ab" is a person, "ac" a place."""
    folder = tmp_path_factory.mktemp("detectors")
    labels = ["O", "B-PER", "I-PER", "B-LOC"]
    plant(folder / "models/org/persons" / PERSONS, "token", labels, {"aa": "B-PER", "ab": "I-PER", "ac": "B-LOC"})
    plant(folder / "models/org/attacks" / ATTACKS, "sequence", ["benign", "jailbreak"], {"ba": "jailbreak"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSR_MODELS", str(folder / "models"), prepend=os.pathsep)
        with compiled_sandbox(folder, POLICY) as running:
            yield running


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()
    Scripted.says("fine")


def body(content="hello", model="auto", **more):
    """A chat request."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more})


def test_a_name_is_masked_in_the_request_and_comes_back_in_the_response(gateway):
    """Beside what patterns find; what the response itself names stays masked, and every other byte as it was."""
    Scripted.says("[PERSON_1] of aa ab. wrote to [EMAIL_ADDRESS_1]")
    status, _, data = gateway.send(body(f'write "aa  ab" at {MAIL}\n ok \u00fc'))
    sent = Scripted.requests[0][1].decode()
    assert sent == body('write "[PERSON_1]" at [EMAIL_ADDRESS_1]\n ok \u00fc', "big")
    content = json.loads(data)["choices"][0]["message"]["content"]
    assert (status, content) == (200, f"aa  ab of [PERSON_2]. wrote to {MAIL}")


def test_a_place_routes_and_an_attack_is_blocked(gateway):
    """By what the checkpoints say, however long the text around it."""
    status, headers, _ = gateway.send(body("from ac to there", "big"))
    assert (status, headers["x-backend"]) == (200, "backend/two")
    long = "da db " * 900
    status, _, data = gateway.send(body(f"{long} ba {long}"))
    assert (status, json.loads(data)["error"]["code"]) == (403, "guard:jailbreak")
    assert len(Scripted.requests) == 1


def content(data: bytes) -> str:
    """The text of a stream."""
    events = [line.removeprefix("data: ") for line in data.decode().split("\n\n") if line]
    parsed = [json.loads(event) for event in events if event != "[DONE]"]
    return "".join(
        choice.get("delta", {}).get("content") or "" for event in parsed for choice in event.get("choices", ())
    )


@pytest.mark.parametrize("cut", [0, 1, 100_000])
def test_a_stream_is_masked_wherever_it_is_cut(gateway, cut):
    """Names cross events, and events cross chunks."""
    words = "da db dc dd. " * 30
    Scripted.streams("so a", "a a", "b left. ", words, "then aa ab", " and ac", cut=cut)
    status, headers, data = gateway.send(body(stream=True))
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert content(data) == f"so [PERSON_1] left. {words}then [PERSON_1] and ac"
    assert data.endswith(b"data: [DONE]\n\n")


def test_a_stream_is_cut_off_before_the_part_that_is_an_attack(gateway):
    """What was judged harmless has gone; of the rest the client gets an error event."""
    Scripted.streams(*(["da db dc dd. "] * 40), "now ba it is. ", *(["da db dc dd. "] * 40))
    status, _, data = gateway.send(body(stream=True))
    assert status == 200
    assert content(data)
    assert content(data) in "da db dc dd. " * 40
    assert b"guard:jailbreak" in data
    assert b"ba" not in content(data).encode()


def test_the_log_names_guards_and_no_text(gateway):
    """One line names the guards of a request, another those of its response."""
    Scripted.says("aa ab.")
    gateway.send(body("ask aa ab"), x_request_id="logged")
    records = gateway.logged("logged", 2)
    assert [record["guards"] for record in records] == ["names:mask", "names:mask"]
    assert "aa ab" not in "".join(gateway.lines)
