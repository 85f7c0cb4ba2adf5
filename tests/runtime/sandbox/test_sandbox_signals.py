"""Signals from the policy file to the real Envoy: language, likeness and complexity by the real encoder."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY
from support.scripted import Scripted

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: asked}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s}
endpoints:
  one: {service: {name: one, port: 8000}}
  two: {service: {name: two, port: 8000}}
models:
  big: {endpoints: [one]}
  little: {endpoints: [two]}
signals:
  german: {language: de}
  billing: {embedding: {to: ["Where is my invoice?", "I was charged twice."], threshold: 0.5}}
  easy:
    complexity:
      hard: ["Prove that the algorithm terminates."]
      easy: ["What is the capital of France?"]
      level: easy
routes:
  - {name: german, when: {signal: german}, model: little}
  - {name: billing, when: {all: [{signal: billing}, {not: {signal: easy}}]}, model: little}
default: big
"""

pytestmark = [*REAL_ENVOY, pytest.mark.usefixtures("files")]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, _graph_cache):
    """A sandbox with signals."""
    with compiled_sandbox(tmp_path_factory.mktemp("signals"), POLICY) as running:
        Scripted.says("fine")
        yield running


@pytest.mark.parametrize(
    ("prompt", "backend"),
    [
        ("Wie lange gilt mein Vertrag noch?", "backend/two"),
        ("How long is my contract valid?", "backend/one"),
        ("I think that I have been charged two times.", "backend/two"),
        ("What is the capital of Spain?", "backend/one"),
        ("ok", "backend/one"),
    ],
)
def test_a_signal_takes_the_request_to_its_backend(gateway, prompt, backend):
    """Through Envoy, the runtime and the encoder, as the policy says; the body names the model that serves."""
    Scripted.requests.clear()
    body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
    status, headers, _ = gateway.send(json.dumps(body))
    assert (status, headers["x-backend"]) == (200, backend)
    assert json.loads(Scripted.requests[0][1])["model"] == ("little" if backend.endswith("two") else "big")
