"""`onFailure: default-model` from the policy file to the real Envoy: where requests go whose router has failed."""

from __future__ import annotations

import json
import os
import signal

import pytest

from support.gateway_client import REAL_ENVOY, Running, start
from support.sandbox_times import timed
from vsr_compiler.deploy.output.write import write
from vsr_compiler.pipeline import compile_policy, read_policy

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: lenient}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s, onFailure: default-model}
endpoints:
  one: {vllm: {}}
  two: {service: {name: two, port: 8000}}
models:
  big: {checkpoint: example/big, endpoints: [one]}
  little: {endpoints: [two]}
categories:
  math: {description: Numbers and proofs., examples: ["Solve x + 1 = 2.", "What is 2+2?"]}
routes:
  - {name: math, when: {category: math}, model: little}
default: big
"""
BIG, AUTO, LITTLE = ("backend/one", "big"), ("backend/one", "auto"), ("backend/two", "little")

pytestmark = REAL_ENVOY


@pytest.fixture
def compiled(tmp_path):
    """The folder of the policy as it was compiled."""
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    compiled = compile_policy(read_policy(tmp_path / "policy.yaml"), lambda _: None)
    write(tmp_path / "out", compiled.tree, compiled.lock)
    return tmp_path / "out" / "lenient"


@pytest.fixture
def gateway(compiled):
    """A sandbox with the policy; its classifier can be made to fail."""
    sandbox, lines = start(compiled / "local")
    with sandbox:
        yield Running(sandbox, lines)


def test_what_cannot_be_classified_goes_to_the_default_as_if_it_were_chosen(gateway, chat):
    """The runtime rewrites the model itself and counts the request; one that can be classified takes its route."""
    assert gateway.served(chat("auto", "2+2")) == LITTLE
    assert gateway.served(chat("auto", "RAISE"), x_request_id="broken") == BIG
    decision = gateway.sandbox.decision("broken")
    assert (decision["model"], decision["undecided"], decision["named"]) == ("big", "classifier_failed", False)


def test_what_is_not_classified_in_time_goes_to_the_default(compiled, chat):
    """Rewritten by the runtime, whose time ends before the gateway's."""
    sandbox, lines = start(timed(compiled, deadline=1000))
    with sandbox:
        assert Running(sandbox, lines).served(chat("auto", "SLEEP")) == BIG


def test_what_is_no_request_is_refused_all_the_same(gateway, chat):
    """Failing is not the same as being asked for what is not served."""
    assert gateway.code(b"{") == (400, "invalid_json")
    assert gateway.code(chat("gpt")) == (404, "model_not_found")
    assert gateway.code(chat(), path="/v1/unheard-of") == (404, "not_found")


def test_a_dead_router_sends_the_auto_names_to_the_default_and_a_client_chooses_nothing(gateway, chat):
    """The body passes as it was, so the default's server bears the auto names; other names are its own 404."""
    os.kill(gateway.sandbox.pids["the runtime"], signal.SIGKILL)
    assert gateway.served(chat("auto", "2+2")) == AUTO
    assert gateway.served(chat("auto", "2+2"), x_selected_model="little") == AUTO
    assert gateway.served(chat("big")) == BIG
    status, headers, data = gateway.send(chat("little"))
    assert (status, headers["x-backend"], json.loads(data)["error"]["code"]) == (404, "backend/one", "model_not_found")
    assert gateway.send(None, "GET", "/metrics")[0] == 404
