"""A policy that names external detectors, in a sandbox with fakes of them and the real Envoy, and without."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY
from support.scripted import Scripted
from vsr_runtime.sandbox.run import detector_lines

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: outside}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s}
endpoints:
  one: {service: {name: one, port: 8000}}
models:
  big: {endpoints: [one]}
classifiers:
  persons:
    task: pii
    server: {protocol: presidio, service: "presidio.presidio:3000", timeout: 10s}
  attacks:
    task: jailbreak
    server:
      protocol: openai-moderation
      url: "https://moderation.example/v1"
      apiKey: {secret: mod, key: key}
      timeout: 10s
guards:
  names: {types: [PERSON], detector: persons, action: mask, unmask: true}
  attacks: {detector: attacks, action: block}
default: big
"""

pytestmark = REAL_ENVOY


@pytest.fixture(scope="module", params=[True, False], ids=["fakes", "none"])
def gateway(request, tmp_path_factory):
    """The sandbox, with fakes or without."""
    folder = tmp_path_factory.mktemp("outside")
    with compiled_sandbox(folder, POLICY, fake_detectors=request.param) as running:
        yield running
    emitted = [path for path in (folder / "out").rglob("*") if path.is_file()]
    assert emitted
    assert not [path for path in emitted if b"vsr-fake" in path.read_bytes()]


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()
    Scripted.says("fine")


def body(content):
    """A chat request."""
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": content}]})


def test_guards_act_on_the_marker_alone_and_every_response_names_the_fakes(gateway):
    """With fakes a guard masks, and another blocks; without them requests are refused, as if the servers were down."""
    status, headers, data = gateway.send(body("hello Jane"))
    lines = detector_lines(gateway.sandbox)
    assert len(lines) == 2
    if not gateway.sandbox.fakes:
        assert (status, headers.get("x-vsr-fake-detectors")) == (503, None)
        assert all("--fake-detectors" in line for line in lines)
        return
    assert (status, headers["x-vsr-fake-detectors"]) == (200, "attacks, persons")
    assert all("FAKE" in line and "vsr-fake-finding" in line for line in lines)
    status, headers, data = gateway.send(body("hello vsr-fake-finding:flagged"))
    assert (status, json.loads(data)["error"]["code"]) == (403, "guard:attacks")
    assert headers["x-vsr-fake-detectors"] == "attacks, persons"
    gateway.send(body("hello vsr-fake-finding:person"))
    assert b"hello [PERSON_1]" in Scripted.requests[-1][1]
